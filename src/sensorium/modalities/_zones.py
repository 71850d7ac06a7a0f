"""Times with a zone and times without one: a column has one kind, and cells of the other kind are told."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.findings import Problem, shorten
from sensorium.table import Column, SpeltDates

DAY = 86_400_000_000  # microseconds
WITH, WITHOUT, UNKNOWN = 1, 0, -1  # a day alone is in no zone
UTC = r"(?i)(z|utc|gmt|[+-]00(:?00)?)$"

Kinds = npt.NDArray[np.int8]


def all_zoned(column: Column, dates: SpeltDates | None) -> bool | None:
    """Have all times of day a zone (True), or has no cell one (False)? None where some have, or no cell is filled."""
    kinds = set(_kinds(column, dates)[column.present].tolist())
    return None if not kinds or kinds >= {WITH, WITHOUT} else WITH in kinds


def zone_problems(column: Column, dates: SpeltDates | None, zoned: bool | None) -> list[Problem]:
    """Cells whose time has a zone where the training cells have none, or the other way round.

    Args:
        column: cells.
        dates: what they spell; None where they did not arrive as text.
        zoned: of the training cells, as `all_zoned` gave it.
    """
    if zoned is None:
        return []
    kinds = _kinds(column, dates)
    if zoned:
        odd, reason = kinds == WITHOUT, "a time without a zone, where all training cells have one: read as UTC"
        cure = "write the zone of every time"
    else:
        odd = (kinds == WITH) & ~_in_utc(column)
        reason = "a time with a zone, where the training cells have none: converted to UTC, which may shift it"
        cure = "write the times without a zone, in the zone of the training table"
    rows = np.flatnonzero(odd)
    cells = column.strings.take(pa.array(rows)).to_pylist()
    return [Problem(int(row), column.name, reason, cure, shorten(cell)) for row, cell in zip(rows, cells, strict=True)]


def _kinds(column: Column, dates: SpeltDates | None) -> Kinds:
    """int8[n]: of each cell."""
    if dates is not None:
        clocked = np.isfinite(dates.rest) & (dates.rest != 0)
        of_texts = np.where(dates.zones != "", WITH, np.where(clocked, WITHOUT, UNKNOWN)).astype(np.int8)
        return np.asarray(dates.of_cells(of_texts, UNKNOWN), np.int8)
    kind = column.data.type
    if not pa.types.is_timestamp(kind):
        return np.full(len(column), UNKNOWN, np.int8)
    if kind.tz:
        return np.where(column.present, WITH, UNKNOWN).astype(np.int8)
    ticks = pc.fill_null(column.data.cast(pa.timestamp("us"), safe=False).cast(pa.int64()), 0)
    return np.where(np.asarray(ticks) % DAY != 0, WITHOUT, UNKNOWN).astype(np.int8)


def _in_utc(column: Column) -> npt.NDArray[np.bool_]:
    """bool[n]: nothing is converted."""
    if column.is_string:
        return np.asarray(pc.fill_null(pc.match_substring_regex(column.data, UTC), False))
    return np.full(len(column), str(getattr(column.data.type, "tz", "")).upper() in ("UTC", "+00:00", "Z"))
