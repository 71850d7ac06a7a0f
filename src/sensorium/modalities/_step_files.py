"""Read a series from a CSV, Parquet or NPY file. Nothing in a file is executed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from sensorium.findings import Unreadable
from sensorium.modalities._files import Source
from sensorium.modalities._step_csv import read_csv
from sensorium.modalities._step_tables import TimeFormat, steps_of_table
from sensorium.modalities._steps import Steps, shaped
from sensorium.table import Floats, is_date_type

SUFFIXES = (".npy", ".csv", ".tsv", ".parquet", ".pq")
NPY, PARQUET = b"\x93NUMPY", b"PAR1"


def read_file(source: Source, time: str | None = None, dates: TimeFormat | None = None) -> Steps:
    """Read a CSV (with or without a header), Parquet or NPY file, recognized by its start; sort steps by timestamp.

    Args:
        source: the file.
        time: the column of timestamps in a CSV or Parquet file; by default the first column of dates, if any.
        dates: the format of that column if it is text.

    Raises:
        Unreadable: the file is damaged, has no numbers or needs pickle, or a step has no timestamp.
    """
    with _guarded():
        content = _content(source)
        if content.startswith(NPY):
            return Steps(read_npy(content))
        table, named = read_table(content)
        found = steps_of_table(table, time, dates).in_order()
        if not named and found.skipped:
            raise Unreadable("the CSV file contains other values than numbers")
        return found if named else replace(found, names=())


def text_columns(source: Source, time: str | None = None) -> dict[str, list[str]]:
    """Return the text columns of a CSV or Parquet file that may be timestamps; none if another column holds dates.

    Raises:
        Unreadable: the file is unreadable, as in `read_file`.
    """
    with _guarded():
        content = _content(source)
        table = None if content.startswith(NPY) else read_table(content)[0]
        if table is None or (not time and any(is_date_type(kind) for kind in table.schema.types)):
            return {}
        names = [name for name in table.column_names if pa.types.is_string(table.schema.field(name).type)]
        return {name: table.column(name).drop_null().to_pylist() for name in names if time in (None, name)}


@contextmanager
def _guarded() -> Iterator[None]:
    """Replace errors of NumPy and Arrow, which raise errors of many kinds for damaged files."""
    try:
        yield
    except Unreadable:
        raise
    except Exception:  # noqa: BLE001
        raise Unreadable("the file is damaged, or not CSV, Parquet or NPY") from None


def _content(source: Source) -> bytes:
    return source.getvalue() if isinstance(source, io.BytesIO) else source.read_bytes()


def read_table(content: bytes) -> tuple[pa.Table, bool]:
    """Return the table, and whether its columns have names."""
    if content.startswith(PARQUET):
        return parquet.ParquetFile(io.BytesIO(content)).read(), True
    return read_csv(content)


def read_npy(content: bytes) -> Floats:
    try:
        values = np.load(io.BytesIO(content), allow_pickle=False)
    except ValueError as error:
        if "pickle" in str(error).lower() or "object" in str(error).lower():
            raise Unreadable(
                "the NPY file contains objects, which only pickle could read", "save an array of numbers"
            ) from None
        raise
    if values.dtype.kind not in "fiub":
        raise Unreadable(f"the NPY file contains {values.dtype} instead of numbers")
    return shaped(values.astype(np.float64))
