"""Times with and without a time zone: a column has one of the two, and cells of the other kind are reported."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.findings import Problem, shorten
from sensorium.table import Column, SpeltDates, as_microseconds

DAY = 86_400_000_000  # microseconds
WITH, WITHOUT, UNKNOWN = 1, 0, -1  # a day without a time has no zone
UTC = r"(?i)(z|utc|gmt|[+-]00(:?00)?)$"

Kinds = npt.NDArray[np.int8]


def all_zoned(column: Column, dates: SpeltDates | None) -> bool | None:
    """Return True if all times of day have a zone, False if no cell has one; None if mixed or all missing."""
    kinds = set(_kinds(column, dates)[column.present].tolist())
    return None if not kinds or kinds >= {WITH, WITHOUT} else WITH in kinds


def zone_problems(column: Column, dates: SpeltDates | None, zoned: bool | None) -> list[Problem]:
    """Report cells whose time has a zone although the training cells have none, or the reverse.

    Args:
        column: cells.
        dates: the parsed cells; None if they did not arrive as text.
        zoned: result of `all_zoned` for the training cells.
    """
    if zoned is None:
        return []
    kinds = _kinds(column, dates)
    if zoned:
        odd, reason = kinds == WITHOUT, "the time has no zone, unlike the training cells: read as UTC"
        cure = "write every time with its zone"
    else:
        odd = (kinds == WITH) & ~_in_utc(column)
        reason = "the time has a zone, unlike the training cells: converted to UTC, which may shift it"
        cure = "write the times without a zone, in the time zone of the training table"
    rows = np.flatnonzero(odd)
    cells = column.strings.take(pa.array(rows)).to_pylist()
    return [Problem(int(row), column.name, reason, cure, shorten(cell)) for row, cell in zip(rows, cells, strict=True)]


def _kinds(column: Column, dates: SpeltDates | None) -> Kinds:
    """Return int8[n]: the kind of each cell."""
    if dates is not None:
        clocked = np.isfinite(dates.rest) & (dates.rest != 0)
        of_texts = np.where(dates.zones != "", WITH, np.where(clocked, WITHOUT, UNKNOWN)).astype(np.int8)
        return np.asarray(dates.of_cells(of_texts, UNKNOWN), np.int8)
    kind = column.data.type
    if not pa.types.is_timestamp(kind):
        return np.full(len(column), UNKNOWN, np.int8)
    if kind.tz:
        return np.where(column.present, WITH, UNKNOWN).astype(np.int8)
    ticks = pc.fill_null(as_microseconds(column.data), 0)
    return np.where(np.asarray(ticks) % DAY != 0, WITHOUT, UNKNOWN).astype(np.int8)


def _in_utc(column: Column) -> npt.NDArray[np.bool_]:
    """Return bool[n]: True for every cell, which is not converted."""
    if column.is_string:
        return np.asarray(pc.fill_null(pc.match_substring_regex(column.data, UTC), False))
    return np.full(len(column), str(getattr(column.data.type, "tz", "")).upper() in ("UTC", "+00:00", "Z"))
