"""Cut a long table (entity, time, values) into windows: rows with past values as series and a future target.

A window uses only rows of its entity up to its time. Only the target is later.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from sensorium.config import WINDOW_SINCE, WINDOW_SPAN, WindowsConfig
from sensorium.errors import TableError, did_you_mean, raise_together
from sensorium.findings import Problems, count
from sensorium.table._arrays import Rows
from sensorium.table._notation import with_point
from sensorium.table._table import Table, one_array
from sensorium.table._window_columns import known_columns, later_columns
from sensorium.table._window_steps import Steps, place_steps, stamps_of


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
    columns[config.time], stamps, dated = stamps_of(columns[config.time])
    steps, notes = place_steps(columns, stamps, dated, config)
    lasts = _lasts(steps, config, table.name)
    notes.append(_sum_up(steps, lasts, config))
    made, told = known_columns(columns, steps, lasts, config)
    made |= later_columns(columns, steps, lasts, config)
    # Problems have row numbers of the source, not of the windows.
    told += [f"windows: {group}" for group in Problems(list(table.problems)).groups()]
    notes = [*table.notes, *notes, *told]
    kept = table.kept_columns.take(steps.rows[lasts])
    return replace(table, arrow=pa.table(made), spelling={}, problems=(), notes=tuple(notes), kept_columns=kept)


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


def _lasts(steps: Steps, config: WindowsConfig, name: str) -> Rows:
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


def _sum_up(steps: Steps, lasts: Rows, config: WindowsConfig) -> str:
    firsts = np.unique(steps.starts)
    short = int((steps.ends[firsts] - firsts < config.length).sum())
    text = f"windows: {count(len(lasts), 'window')} of {config.length} steps from {count(len(steps.rows), 'row')}"
    text += f" of {steps.entities:,} entities" if config.entity else ""
    return text + (f"; {short:,} have fewer than {config.length} steps and give no window" if short else "")
