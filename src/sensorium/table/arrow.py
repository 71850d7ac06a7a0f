"""Arrow IPC files and streams, and Feather."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import feather

from sensorium.config import TableConfig
from sensorium.errors import TableError

SUFFIXES = (".arrow", ".feather", ".ipc", ".arrows")


def arrow(path: Path, config: TableConfig) -> pa.Table:
    """Read an Arrow file; raise TableError if it is damaged or of another kind."""
    try:
        return feather.read_table(path, memory_map=False)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001
        pass  # not the file format: the stream format has no magic number to tell it by
    try:
        with pa.OSFile(str(path)) as stream:
            return pa.ipc.open_stream(stream).read_all()
    except MemoryError:
        raise
    # Types that other libraries define for Arrow run their own code on the file's metadata, and fail with any error.
    except Exception as error:  # noqa: BLE001
        raise TableError(f"cannot read the file as Arrow: {error}", place=str(path)) from None
