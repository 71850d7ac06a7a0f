"""Make the steps of a series from a table: its channels of numbers and its timestamps."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from sensorium.findings import Unreadable
from sensorium.modalities._steps import Steps, shaped
from sensorium.table import Column, Files, Floats, as_seconds, is_date_type, is_number_type

NOWHERE = Files(Path())  # for columns within a file, which name no files


class TimeFormat(Protocol):
    """Format of timestamps that are text."""

    def moments(self, column: Column) -> Floats: ...


def steps_of_table(table: pa.Table, time: str | None, dates: TimeFormat | None) -> Steps:
    kinds = {name: table.schema.field(name).type for name in table.column_names}
    time = time or next((name for name, kind in kinds.items() if is_date_type(kind)), None)
    numeric = [name for name, kind in kinds.items() if holds_numbers(kind) and name != time]
    skipped = [name for name, kind in kinds.items() if not holds_numbers(kind) or name == time]
    if not numeric:
        raise Unreadable("the file has no column of numbers")
    columns = [table.column(name).cast(pa.float64(), safe=False).to_numpy() for name in numeric]
    stamps = None if time is None else _stamps(table, time, dates)
    return Steps(shaped(np.stack(columns, 1).astype(np.float64)), numeric, skipped, stamps)


def _stamps(table: pa.Table, time: str, dates: TimeFormat | None) -> Floats:
    """Return seconds since 1970, or numbers as they are; NaN if missing."""
    if time not in table.column_names:
        raise Unreadable(f"the time column {time!r} is not in the file", f"it has {', '.join(table.column_names)}")
    column = table.column(time)
    if is_date_type(column.type):
        return as_seconds(column)
    if dates is not None and pa.types.is_string(column.type):
        return dates.moments(Column(time, pa.concat_arrays(column.chunks), NOWHERE))
    if not holds_numbers(column.type):
        raise Unreadable(f"the time column {time!r} holds no dates or numbers", "write dates as 2026-01-31")
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), np.float64)


def holds_numbers(kind: pa.DataType) -> bool:
    """Return whether a type is numeric. An empty column has the type null: it is a channel of gaps."""
    types = pa.types
    return bool(is_number_type(kind) or types.is_decimal(kind) or types.is_null(kind))
