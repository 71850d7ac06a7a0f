"""Dates beyond the years 1 to 9999, which Python and Arrow cannot spell, as ISO text of their year."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from sensorium.table._arrow_types import SECONDS_PER_UNIT
from sensorium.table._plain_scalars import in_calendar


def is_far(dates: pa.ChunkedArray) -> bool:
    """Return whether a column of dates or timestamps has years beyond 1 to 9999."""
    return any(in_calendar(chunk).null_count > chunk.null_count for chunk in dates.chunks)


def spelt_far_dates(dates: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return dates as text: as Arrow spells them, and as ISO text beyond the years 1 to 9999."""
    return pa.chunked_array([_spelt_chunk(chunk) for chunk in dates.chunks], pa.string())


def _spelt_chunk(dates: pa.Array) -> pa.Array:
    cells = in_calendar(dates).cast(pa.string()).to_pylist()
    for row in np.flatnonzero(np.asarray(dates.is_valid())):
        if cells[row] is None:
            cells[row] = _extended(dates[int(row)]).replace("T", " ")
    return pa.array(cells, pa.string())


def python_cells(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """Return the cells as Python values; dates that Python has no value of as ISO text, also within lists."""
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError):
        return [_value(cell) for cell in column]


def _value(cell: pa.Scalar) -> Any:
    if not cell.is_valid:
        return None
    if isinstance(cell, pa.StructScalar):
        return {name: _value(part) for name, part in cell.items()}
    if pa.types.is_nested(cell.type) and hasattr(cell, "values"):
        return [] if cell.values is None else [_value(part) for part in cell.values]
    if isinstance(cell, pa.DictionaryScalar | pa.UnionScalar | pa.RunEndEncodedScalar):
        return _value(cell.value)
    try:
        return cell.as_py()
    except (OverflowError, ValueError):
        return cell.value * SECONDS_PER_UNIT[cell.type.unit] if pa.types.is_duration(cell.type) else _extended(cell)


def _extended(moment: pa.Scalar) -> str:
    """Return the ISO text of a date or timestamp of any year; of an instant, in UTC."""
    kind = moment.type
    if pa.types.is_date(kind):
        days = moment.value if pa.types.is_date32(kind) else moment.value // 86_400_000
        return str(np.datetime64(days, "D"))
    return f"{np.datetime64(moment.value, kind.unit)}{'Z' if kind.tz else ''}"
