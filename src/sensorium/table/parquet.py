"""Parquet: the column-wise file of data lakes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import parquet as arrow_parquet

from sensorium.config import TableConfig
from sensorium.errors import TableError

SUFFIXES = (".parquet", ".pq")


def parquet(path: Path, config: TableConfig) -> pa.Table:
    """Raises TableError where the file is damaged or no Parquet."""
    try:
        return arrow_parquet.ParquetFile(path).read()
    except MemoryError:
        raise
    # Types that other libraries define for Arrow run their own code on the file's metadata, and fail with any error.
    except Exception as error:  # noqa: BLE001
        raise TableError(f"the file can't be read as Parquet: {error}", place=str(path)) from None
