"""The order of rows in time, from dates, times, numbers or the text that spells dates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import SplitConfig
from sensorium.errors import SchemaError
from sensorium.findings import Problem, shorten
from sensorium.table import DATE_ORDERS, PIVOT, Column, SpeltDates, Table, date_order, read_dates

ISO_TEXT = r"^\d{4}-\d\d"
RULE = "dates, times or numbers, none of them missing"

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Moments:
    """When each row is.

    Attributes:
        ticks: int64[n]; equal times have equal ticks, later ones larger; what is missing or no time comes last.
        known: bool[n].
        as_dates: text was put in order as dates, which is another order than that of the text.
        findings: what was guessed of the text.
    """

    ticks: Rows
    known: npt.NDArray[np.bool_]
    as_dates: bool = False
    findings: tuple[Problem, ...] = ()


def moments_of(time: Column, day_first: bool | None = None) -> Moments:
    """Raises:
    SchemaError: the column holds nothing that has an order in time, or dates of which day and month can't be told.
    """
    if pa.types.is_temporal(time.data.type) or time.is_integer or time.is_float:
        return Moments(_ranks(time.data), time.present)
    if not time.is_string:
        raise _no_order(time.name, f"the column holds {time.data.type}")
    dates = read_dates(time.data)
    order, rival = date_order(dates, day_first)
    if rival:
        cure = "write dates as 2026-01-31, or --set split.day_first=true (or false)"
        raise _no_order(time.name, f"its dates fit {DATE_ORDERS[order]} and {DATE_ORDERS[rival]}", cure)
    seconds = np.asarray(dates.of_cells(dates.moments(order), np.nan), dtype=np.float64)
    spelt = bool(pc.all(pc.match_substring_regex(time.values, ISO_TEXT)).as_py())
    if spelt and (time.present & ~np.isfinite(seconds)).any():
        return Moments(_ranks(time.data), time.present)  # such as 2026-01-31 (morning): ordered as it is written
    ticks = _ranks(pa.array(seconds, from_pandas=True))
    as_dates = spelt and not np.array_equal(ticks[time.present], _ranks(time.data)[time.present])
    return Moments(ticks, np.isfinite(seconds), as_dates, _guessed(time.name, dates, order))


def check_known(time: Column, moments: Moments, rows: Rows) -> None:
    """Raises:
    SchemaError: one of the rows has no time.
    """
    lacking = rows[~moments.known[rows]]
    if len(lacking):
        values = time.take(lacking).sample(1)
        where = f"in {len(lacking):,} of {len(rows):,} rows with a label"
        why = f"it holds no date {where}, such as {shorten(values[0])!r}" if values else f"it is empty {where}"
        raise _no_order(time.name, why, "mend the cells, or leave these rows out")


def reach_of(table: Table, config: SplitConfig) -> tuple[Rows, Rows]:
    """Common ranks of the first and last moments of rows; where one is missing, the row may reach any far."""
    begins, ends = (table.column(name) for name in config.span or ())
    if begins.data.type != ends.data.type:
        raise SchemaError(
            f"columns {begins.name!r} and {ends.name!r} hold {begins.data.type} and {ends.data.type}",
            place="split.span",
            rule="moments of one kind",
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
    reason = f"rows are ordered by years of two digits, read as {1900 + PIVOT} to {1999 + PIVOT}"
    return (Problem(None, name, reason, "write years with four digits"),) if years else ()


def _no_order(name: str, why: str, cure: str = "") -> SchemaError:
    return SchemaError(f"rows can't be ordered by column {name!r}: {why}", rule=RULE, cure=cure)
