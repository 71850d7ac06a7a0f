"""Make the columns of windows: values known at the last step, and the target at a later one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.config import WINDOW_SINCE, WINDOW_SPAN, WindowsConfig
from sensorium.findings import be, count
from sensorium.table._arrays import Rows
from sensorium.table._numbers import as_numbers, rows_of_lists
from sensorium.table._window_steps import Columns, Steps


def known_columns(
    columns: Columns, steps: Steps, lasts: Rows, config: WindowsConfig
) -> tuple[dict[str, Any], list[str]]:
    """Return the values known at the last step."""
    consumed, notes = {*config.values, config.target}, list[str]()
    made = {name: column.take(pa.array(steps.rows[lasts])) for name, column in columns.items() if name not in consumed}
    for name in config.values:
        if name in columns:
            numbers, told = as_numbers(columns[name], name, "table.windows.values")
            of_others = f"{count(len(told), 'cell')} of {name} without a number {be(len(told))} read as missing"
            notes += [f"windows: {of_others}"] if told else []
            made[name] = _lists(numbers[steps.rows], lasts, config.length)
    if config.since:
        made[WINDOW_SINCE] = _lists(steps.since, lasts, config.length)
    made[WINDOW_SPAN[0]] = columns[config.time].take(pa.array(steps.rows[lasts - config.length + 1]))
    return made, notes


def _lists(values: npt.NDArray[np.float64], lasts: Rows, length: int) -> pa.Array:
    windows = np.lib.stride_tricks.sliding_window_view(values, length)
    return rows_of_lists(windows[lasts - length + 1], "table.windows")


def later_columns(columns: Columns, steps: Steps, lasts: Rows, config: WindowsConfig) -> dict[str, pa.Array]:
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
