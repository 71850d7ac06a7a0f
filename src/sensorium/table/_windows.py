"""Cut a long table (entity, time, values) into windows: rows with past values as series and a future target.

A window uses only rows of its entity up to its time. Only the target is later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.config import WINDOW_SINCE, WINDOW_SPAN, WindowsConfig
from sensorium.errors import TableError, did_you_mean, raise_together
from sensorium.findings import Problems, count
from sensorium.table._notation import with_point
from sensorium.table._numbers import as_numbers, rows_of_lists
from sensorium.table._table import Table, one_array

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)

Rows = npt.NDArray[np.int64]
Stamps = npt.NDArray[Any]
Columns = Mapping[str, pa.Array]


@dataclass(frozen=True)
class _Steps:
    """Rows that have entity and time, sorted by entity and time.

    Attributes:
        rows: int64[steps], index of the row in the source.
        starts, ends: int64[steps], the first position of a step's entity and the first after it.
        since: float64[steps], time since the entity's step before (seconds, or as numeric stamps count); NaN at first.
        entities: number of entities.
    """

    rows: Rows
    starts: Rows
    ends: Rows
    since: npt.NDArray[np.float64]
    entities: int


def cut_windows(table: Table, config: WindowsConfig, *, gaps: bool) -> Table:
    """Return a row for each step with `length - 1` earlier steps of its entity, in the order of the source's rows.

    The columns are: each of `values` as a list of the last steps, oldest first; the target `horizon` steps later,
    missing if the table ends before; the time of the window's first step and of the target; with `since`, the time
    between the steps; all other columns with their value at the last step.

    Args:
        table: the rows, in any order. Rows without entity or time are left out; of several rows with the same entity
            and time, the last one is used. The notes of the result report both, and entities that are too short.
        config: settings of the windows.
        gaps: whether columns of values and the target may be missing, as in a table to predict.

    Raises:
        TableError: columns do not exist or have other types, or no window fits.
    """
    _check(table, config, gaps=gaps)
    columns = {name: one_array(table.arrow.column(name)) for name in table.columns}
    notation = table.conventions.notation()
    columns |= {name: with_point(columns[name], notation) for name in {*config.values, config.target} & {*columns}}
    columns[config.time], stamps, dated = _stamps(columns[config.time])
    steps, notes = _place(columns, stamps, dated, config)
    lasts = _lasts(steps, config, table.name)
    notes.append(_sum_up(steps, lasts, config))
    made, told = _features(columns, steps, lasts, config)
    made |= _ahead(columns, steps, lasts, config)
    # Problems have row numbers of the source, not of the windows.
    told += [f"windows: {group}" for group in Problems(list(table.problems)).groups()]
    return replace(table, arrow=pa.table(made), spelling={}, problems=(), notes=(*table.notes, *notes, *told))


def _check(table: Table, config: WindowsConfig, *, gaps: bool) -> None:
    needed = [name for name in (config.time, config.entity) if name is not None]
    needed += [] if gaps else [*config.values, config.target]
    faults = [
        TableError(f"the table has no column {name!r}", place="table.windows", cure=did_you_mean(name, table.columns))
        for name in dict.fromkeys(needed)
        if name not in table.columns
    ]
    made = [config.answer, *WINDOW_SPAN, *([WINDOW_SINCE] if config.since else [])]
    faults += [
        TableError(
            f"the table has a column {name!r}",
            place="table.windows",
            rule="windows add a column of this name",
            cure="rename it",
        )
        for name in made
        if name in table.columns
    ]
    raise_together(faults)


def _stamps(column: pa.Array) -> tuple[pa.Array, Stamps, npt.NDArray[np.bool_]]:
    """Return the column (text as timestamps), comparable values (microseconds or numbers), and which are known."""
    if pa.types.is_string(column.type):
        found = column.dictionary_encode()
        moments = pa.array([_parse(text) for text in found.dictionary.to_pylist()], pa.timestamp("us"))
        column = moments.take(found.indices)
    known = np.asarray(column.is_valid())
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        numbers = column.fill_null(0).to_numpy(zero_copy_only=False)
        return column, numbers, known & np.isfinite(numbers)
    if not (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)):
        raise TableError(
            f"the time column has the type {column.type}", place="table.windows.time", rule="dates or numbers"
        )
    micro = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    return column, micro.fill_null(0).to_numpy(zero_copy_only=False), known


def _parse(text: str | None) -> int | None:
    """Return microseconds since 1970; None unless written as 2026-01-31 or 2026-01-31 16:00 (UTC without a zone)."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND


def _entities(columns: Columns, name: str | None, rows: int) -> Rows:
    """Return int64[rows], a number for each entity; -1 if there is none."""
    if name is None:
        return np.zeros(rows, np.int64)
    if pa.types.is_nested(columns[name].type):
        raise TableError(
            f"the entity column has the type {columns[name].type}", place="table.windows.entity", rule="names"
        )
    codes = columns[name].dictionary_encode().indices.fill_null(-1)
    return np.asarray(codes.to_numpy(zero_copy_only=False), np.int64)


def _place(
    columns: Columns, stamps: Stamps, dated: npt.NDArray[np.bool_], config: WindowsConfig
) -> tuple[_Steps, list[str]]:
    codes = _entities(columns, config.entity, len(stamps))
    usable = np.flatnonzero(dated & (codes >= 0))
    rows = usable[np.lexsort((stamps[usable], codes[usable]))]  # stable: rows of one stamp stay in the table's order
    twins = (np.diff(codes[rows]) == 0) & (np.diff(stamps[rows]) == 0)
    rows = rows[np.append(~twins, True)] if len(rows) else rows
    firsts = np.flatnonzero(np.diff(codes[rows], prepend=-1))
    lengths = np.diff(np.append(firsts, len(rows)))
    unit = 1e6 if pa.types.is_temporal(columns[config.time].type) else 1
    since = np.diff(stamps[rows], prepend=stamps[rows][:1]) / unit
    since[firsts] = np.nan
    starts, ends = np.repeat(firsts, lengths), np.repeat(firsts + lengths, lengths)
    lost = {
        f"without a time in {config.time!r} left out": (~dated).sum(),
        f"without an entity in {config.entity!r} left out": (dated & (codes < 0)).sum(),
        "left out because a later row has the same entity and time": twins.sum(),
    }
    notes = [f"windows: {count(int(number), 'row')} {why}" for why, number in lost.items() if number]
    return _Steps(rows, starts, ends, since, len(firsts)), notes


def _lasts(steps: _Steps, config: WindowsConfig, name: str) -> Rows:
    """Return positions of the windows' last steps, in the order of the source's rows."""
    nth = np.arange(len(steps.rows)) - steps.starts - (config.length - 1)
    lasts = np.flatnonzero((nth >= 0) & (nth % config.every == 0))
    if not len(steps.rows):
        finding = f"no row has a time in {config.time!r}" + (
            f" and an entity in {config.entity!r}" if config.entity else ""
        )
        raise TableError(finding, place=name, rule="dates and times as 2026-01-31 or 2026-01-31 16:00, or numbers")
    if not len(lasts):
        longest = int((steps.ends - steps.starts).max(initial=0))
        finding = f"no window of {config.length} steps fits: the longest entity has {count(longest, 'step')}"
        raise TableError(finding, place=name, cure="use a smaller table.windows.length")
    return lasts[np.argsort(steps.rows[lasts], kind="stable")]


def _sum_up(steps: _Steps, lasts: Rows, config: WindowsConfig) -> str:
    firsts = np.unique(steps.starts)
    short = int((steps.ends[firsts] - firsts < config.length).sum())
    text = f"windows: {count(len(lasts), 'window')} of {config.length} steps from {count(len(steps.rows), 'row')}"
    text += f" of {steps.entities:,} entities" if config.entity else ""
    return text + (f"; {short:,} have fewer than {config.length} steps and give no window" if short else "")


def _features(columns: Columns, steps: _Steps, lasts: Rows, config: WindowsConfig) -> tuple[dict[str, Any], list[str]]:
    """Return the values known at the last step."""
    consumed, notes = {*config.values, config.target}, list[str]()
    made = {name: column.take(pa.array(steps.rows[lasts])) for name, column in columns.items() if name not in consumed}
    for name in config.values:
        if name in columns:
            numbers, told = as_numbers(columns[name], name, "table.windows.values")
            notes += [f"windows: {count(len(told), 'cell')} of {name} are not numbers: gaps"] if told else []
            made[name] = _lists(numbers[steps.rows], lasts, config.length)
    if config.since:
        made[WINDOW_SINCE] = _lists(steps.since, lasts, config.length)
    made[WINDOW_SPAN[0]] = columns[config.time].take(pa.array(steps.rows[lasts - config.length + 1]))
    return made, notes


def _lists(values: npt.NDArray[np.float64], lasts: Rows, length: int) -> pa.Array:
    windows = np.lib.stride_tricks.sliding_window_view(values, length)
    return rows_of_lists(windows[lasts - length + 1], "table.windows")


def _ahead(columns: Columns, steps: _Steps, lasts: Rows, config: WindowsConfig) -> dict[str, pa.Array]:
    """Return the target and its time: null if the entity ends before."""
    beyond = lasts + config.horizon >= steps.ends[lasts]
    later = np.where(beyond, 0, lasts + config.horizon)
    rows = pa.array(steps.rows[later], mask=beyond)
    made = {WINDOW_SPAN[1]: columns[config.time].take(rows)}
    if config.target not in columns:
        return made
    target = columns[config.target]
    if config.predict == "value":
        return made | {config.answer: target.take(rows)}
    numbers, _ = as_numbers(target, config.target, "table.windows.target")
    now, then = numbers[steps.rows[lasts]], np.where(beyond, np.nan, numbers[steps.rows[later]])
    unknown = ~np.isfinite(now) | ~np.isfinite(then)
    if config.predict == "rises":
        return made | {config.answer: pa.array(then > now, mask=unknown)}
    with np.errstate(all="ignore"):
        change = then - now if config.predict == "change" else then / now - 1
    return made | {config.answer: pa.array(change, mask=~np.isfinite(change))}
