"""Readers of one series cell: lists, and CSV, Parquet and NPY files. Nothing in a file is executed."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from sensorium.findings import Unreadable
from sensorium.modalities._files import Source
from sensorium.table import USUAL_SPELLINGS, Column, Files

SUFFIXES = (".npy", ".csv", ".tsv", ".parquet", ".pq")
NPY, PARQUET = b"\x93NUMPY", b"PAR1"
EMPTY = "the series has no steps"

DECIMAL_COMMA, THOUSANDS = r"^[+-]?[0-9]+(,[0-9]+)?([eE][+-]?[0-9]+)?$", r"^[+-]?[0-9]{1,3}(,[0-9]{3})?$"
NOWHERE = Files(Path())  # for columns within a file, which name no files

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Steps:
    """Content of a series cell.

    Attributes:
        values: float64[steps, channels], NaN for gaps.
        names: names of the channels; empty if they have none.
        skipped: columns of the file that do not hold numbers, such as a date.
        stamps: float64[steps], the timestamp of each step, NaN if missing; None without timestamps.
    """

    values: Floats
    names: Sequence[str] = ()
    skipped: Sequence[str] = ()
    stamps: Floats | None = None

    def in_order(self) -> Steps:
        """Sort by timestamp; steps with equal timestamps keep the order of the file.

        Raises:
            Unreadable: a step has no timestamp.
        """
        if self.stamps is None:
            return self
        if np.isnan(self.stamps).any():
            first = int(np.flatnonzero(np.isnan(self.stamps))[0])
            raise Unreadable("a step has no timestamp", f"fill or remove it; the first one is step {first + 1}")
        order = np.argsort(self.stamps, kind="stable")
        return replace(self, values=self.values[order], stamps=self.stamps[order])

    def since(self) -> Floats:
        """Return float64[steps, 1]: the time since the previous step (seconds, or the unit of the numbers); NaN first.

        Raises:
            Unreadable: the steps have no timestamps.
        """
        if self.stamps is None:
            raise Unreadable("the series has no timestamps, which since=true needs", "set since=false, or name `time`")
        return np.diff(self.stamps, prepend=np.nan)[:, None]

    def select(self, names: Sequence[str]) -> Floats:
        """Return the channels of these names, in this order; all channels if either side has no names.

        Raises:
            Unreadable: the file lacks a channel.
        """
        if not names or not self.names:
            return self.values
        for name in names:
            if name not in self.names:
                fault = "does not hold numbers" if name in self.skipped else "is not in the file"
                raise Unreadable(f"the channel {name!r} {fault}", f"the file has {', '.join(self.names)}")
        return self.values[:, [self.names.index(name) for name in names]]


def read_list(value: Any) -> Steps:
    """Read a list of numbers, or of lists of numbers of equal width; None is a gap.

    Raises:
        Unreadable: the list has no steps, unequal widths, or other values than numbers.
    """
    width = max((len(step) for step in value if isinstance(step, list)), default=0)
    if width:
        value = [[None] * width if step is None else step for step in value]
    try:
        values = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        reason = (
            "the steps have unequal widths or are not numbers"
            if width
            else "the list contains other values than numbers"
        )
        raise Unreadable(reason) from None
    return Steps(_shaped(values))


class _Dates(Protocol):
    """Format of timestamps that are text."""

    def moments(self, column: Column) -> Floats: ...


def read_file(source: Source, time: str | None = None, dates: _Dates | None = None) -> Steps:
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
            return Steps(_read_npy(content))
        table, named = _read_table(content)
        found = _of_table(table, time, dates).in_order()
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
        table = None if content.startswith(NPY) else _read_table(content)[0]
        if table is None or (not time and any(_holds_dates(kind) for kind in table.schema.types)):
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


def _read_table(content: bytes) -> tuple[pa.Table, bool]:
    """Return the table, and whether its columns have names."""
    if content.startswith(PARQUET):
        return parquet.ParquetFile(io.BytesIO(content)).read(), True
    return _read_csv(content)


def _read_npy(content: bytes) -> Floats:
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
    return _shaped(values.astype(np.float64))


def _read_csv(content: bytes) -> tuple[pa.Table, bool]:
    first = content.split(b"\n", 1)[0].decode("utf-8-sig").strip()
    separator = max(",;\t", key=first.count)
    named = not all(_is_gap_or_number(field, separator) for field in first.split(separator))
    table = csv.read_csv(
        io.BytesIO(content),
        read_options=csv.ReadOptions(autogenerate_column_names=not named, use_threads=False),
        parse_options=csv.ParseOptions(delimiter=separator),
        convert_options=csv.ConvertOptions(null_values=USUAL_SPELLINGS),
    )
    return table if separator == "," else _decimal_commas(table), named


def _decimal_commas(table: pa.Table) -> pa.Table:
    """Read numbers such as 0,5 if the separator is not a comma; an ambiguous number such as 1,234 stays text."""
    for place, name in enumerate(table.column_names):
        cells = table.column(place)
        if not pa.types.is_string(cells.type) or not pc.all(pc.match_substring_regex(cells, DECIMAL_COMMA)).as_py():
            continue
        if not pc.all(pc.match_substring_regex(cells, THOUSANDS)).as_py():
            numbers = pc.replace_substring(cells, ",", ".").cast(pa.float64())
            table = table.set_column(place, name, numbers)
    return table


def _is_gap_or_number(field: str, separator: str) -> bool:
    field = field.strip()
    return field in USUAL_SPELLINGS or _is_number(field if separator == "," else field.replace(",", "."))


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _of_table(table: pa.Table, time: str | None, dates: _Dates | None) -> Steps:
    kinds = {name: table.schema.field(name).type for name in table.column_names}
    time = time or next((name for name, kind in kinds.items() if _holds_dates(kind)), None)
    numeric = [name for name, kind in kinds.items() if holds_numbers(kind) and name != time]
    skipped = [name for name in table.column_names if name not in numeric]
    if not numeric:
        raise Unreadable("the file has no column of numbers")
    columns = [table.column(name).cast(pa.float64(), safe=False).to_numpy() for name in numeric]
    stamps = None if time is None else _stamps(table, time, dates)
    return Steps(_shaped(np.stack(columns, 1).astype(np.float64)), numeric, skipped, stamps)


def _holds_dates(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def _stamps(table: pa.Table, time: str, dates: _Dates | None) -> Floats:
    """Return seconds since 1970, or numbers as they are; NaN if missing."""
    if time not in table.column_names:
        raise Unreadable(f"the time column {time!r} is not in the file", f"it has {', '.join(table.column_names)}")
    column = table.column(time)
    if _holds_dates(column.type):
        micro = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).cast(pa.float64(), safe=False)
        return np.asarray(micro.to_numpy(), np.float64) / 1e6
    if dates is not None and pa.types.is_string(column.type):
        return dates.moments(Column(time, pa.concat_arrays(column.chunks), NOWHERE))
    if not holds_numbers(column.type):
        raise Unreadable(f"the time column {time!r} holds no dates or numbers", "write dates as 2026-01-31")
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), np.float64)


def holds_numbers(kind: pa.DataType) -> bool:
    """Return whether a type is numeric. An empty column has the type null: it is a channel of gaps."""
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_null(kind))


def _shaped(values: Floats) -> Floats:
    """Reshape to (steps, channels)."""
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2:
        raise Unreadable(f"the array has {values.ndim} dimensions instead of steps × channels")
    if not values.size:
        raise Unreadable(EMPTY)
    return values
