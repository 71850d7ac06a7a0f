"""Arrow IPC files and streams, and Feather."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import feather

from sensorium.config import TableConfig
from sensorium.errors import TableError

SUFFIXES = (".arrow", ".feather", ".ipc", ".arrows")


def arrow(path: Path, config: TableConfig) -> pa.Table:
    """Raises TableError where the file is damaged or no Arrow."""
    try:
        return feather.read_table(path, memory_map=False)
    except (pa.ArrowException, OSError, ValueError):
        pass  # not the file format: the stream format has no magic number to tell it by
    try:
        with pa.OSFile(str(path)) as stream:
            return pa.ipc.open_stream(stream).read_all()
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: a name that is no UTF-8
        raise TableError(f"the file can't be read as Arrow: {error}", place=str(path)) from None
