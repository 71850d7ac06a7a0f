"""Parquet: the columnar file format of data lakes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import parquet as arrow_parquet

from sensorium.config import TableConfig
from sensorium.errors import TableError

SUFFIXES = (".parquet", ".pq")


def parquet(path: Path, config: TableConfig) -> pa.Table:
    """Read a Parquet file; raise TableError if it is damaged or of another kind."""
    try:
        return arrow_parquet.ParquetFile(path).read()
    except MemoryError:
        raise
    # Types that other libraries define for Arrow run their own code on the file's metadata, and fail with any error.
    except Exception as error:  # noqa: BLE001
        raise TableError(f"cannot read the file as Parquet: {error}", place=str(path)) from None
