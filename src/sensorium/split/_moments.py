"""Order rows by time, from dates, times, numbers or text that spells dates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import SplitConfig, set_both
from sensorium.errors import SchemaError
from sensorium.findings import Problem, shorten
from sensorium.table import DATE_ORDERS, PIVOT, Column, Rows, SpeltDates, Table, are_iso_dates, date_order, read_dates

RULE = "dates, times or numbers, none of them missing"


@dataclass(frozen=True)
class Moments:
    """Time of each row.

    Attributes:
        ticks: int64[n]; equal times have equal ticks, later ones larger; cells without a time come last.
        known: bool[n].
        as_dates: text was ordered as dates, which differs from the order of the text.
        findings: what was guessed about the text.
    """

    ticks: Rows
    known: npt.NDArray[np.bool_]
    as_dates: bool = False
    findings: tuple[Problem, ...] = ()


def moments_of(time: Column, day_first: bool | None = None) -> Moments:
    """Return the time of each row.

    Raises:
        SchemaError: the column has no order in time, or the order of day and month in its dates is ambiguous.
    """
    if pa.types.is_temporal(time.data.type) or time.is_number:
        return Moments(_ranks(time.data), time.present)
    if not time.is_string:
        raise _no_order(time.name, f"the column has the type {time.data.type}")
    dates = read_dates(time.data)
    order, rival = date_order(dates, day_first)
    if rival:
        cure = f"write dates as 2026-01-31, or say whether the day comes first: {set_both('split.day_first', True)}"
        raise _no_order(time.name, f"its dates fit both {DATE_ORDERS[order]} and {DATE_ORDERS[rival]}", cure)
    seconds = np.asarray(dates.of_cells(dates.moments(order), np.nan), dtype=np.float64)
    spelt = are_iso_dates(time.values)
    if spelt and (time.present & ~np.isfinite(seconds)).any():
        return Moments(_ranks(time.data), time.present)  # such as 2026-01-31 (morning): ordered as it is written
    ticks = _ranks(pa.array(seconds, from_pandas=True))
    as_dates = spelt and not np.array_equal(ticks[time.present], _ranks(time.data)[time.present])
    return Moments(ticks, np.isfinite(seconds), as_dates, _guessed(time.name, dates, order))


def check_known(time: Column, moments: Moments, rows: Rows) -> None:
    """Check that every row has a time.

    Raises:
        SchemaError: one of the rows has no time.
    """
    lacking = rows[~moments.known[rows]]
    if len(lacking):
        values = time.take(lacking).sample(1)
        where = f"in {len(lacking):,} of {len(rows):,} rows with a label"
        why = f"it is empty {where}"
        if values:
            why = f"a cell such as {shorten(values[0])!r} is not a valid date ({where})"
        raise _no_order(time.name, why, "correct the cells, or remove these rows")


def reach_of(table: Table, config: SplitConfig) -> tuple[Rows, Rows]:
    """Return ranks of the first and last times of rows on one scale; a row with a missing one is unbounded there."""
    begins, ends = (table.column(name) for name in config.span or ())
    if begins.data.type != ends.data.type:
        raise SchemaError(
            f"columns {begins.name!r} and {ends.name!r} hold different types: {begins.data.type} and {ends.data.type}",
            place="split.span",
            rule="both dates, both times, or both numbers",
        )
    name = f"{begins.name} and {ends.name}"
    both = moments_of(Column(name, pa.concat_arrays([begins.data, ends.data]), begins.files), config.day_first)
    first, last = both.ticks[: len(begins)], both.ticks[len(begins) :]
    known = both.known[: len(begins)], both.known[len(begins) :]
    return np.where(known[0], first, 0), np.where(known[1], last, len(both.ticks) + 1)


def _ranks(data: pa.Array) -> Rows:
    return np.asarray(pc.rank(data, sort_keys="ascending", tiebreaker="dense"), dtype=np.int64)


def _guessed(name: str, dates: SpeltDates, order: str) -> tuple[Problem, ...]:
    years = dates.count(dates.short & np.isfinite(dates.moments(order)))
    reason = f"rows are ordered by two-digit years, read as {1900 + PIVOT} to {1999 + PIVOT}"
    return (Problem(None, name, reason, "write years with four digits"),) if years else ()


def _no_order(name: str, why: str, cure: str = "") -> SchemaError:
    return SchemaError(f"cannot order rows by column {name!r}: {why}", rule=RULE, cure=cure)
