"""Rows without a label that training may use, without leakage from the test rows."""

from __future__ import annotations

import numpy as np

from sensorium.config import SplitConfig
from sensorium.split._codes import group_codes
from sensorium.split._moments import moments_of, reach_of
from sensorium.split.spellings import named_codes
from sensorium.split.split import Split
from sensorium.table import Column, Rows, Table


def unlabelled_rows(table: Table, target: Column, split: Split, config: SplitConfig, column: str | None) -> Rows:
    """Return the rows without a label that belong to the training part, in table order.

    If a column names the splits, these are the rows that it names as training rows; if rows are split by time, the rows
    before the first validation or test row; if by group, the rows outside the validation and test groups; otherwise
    all.

    Args:
        table: the rows.
        target: the label column.
        split: split of the rows that have a label.
        config: settings of the split: group, time, span.
        column: the column that names the splits, if there is one.
    """
    rows = np.flatnonzero(~target.present)
    held = np.flatnonzero(split.codes > 0)
    if column:
        rows = rows[named_codes(table.column(column))[rows] == 0]
    elif config.time:
        rows = rows[_before(table, rows, held, config)]
    if config.group:
        groups = group_codes(table.column(config.group))
        rows = rows[(groups[rows] < 0) | ~np.isin(groups[rows], groups[held])]
    return rows


def _before(table: Table, rows: Rows, held: Rows, config: SplitConfig) -> np.typing.NDArray[np.bool_]:
    """Return bool[n]: whether the rows end before the first of the held-out ones begins."""
    if not len(held):
        return np.ones(len(rows), np.bool_)
    moments = moments_of(table.column(config.time or ""), config.day_first)
    over = moments.known[rows] & (moments.ticks[rows] < moments.ticks[held].min())
    if config.span:
        begins, ends = reach_of(table, config)
        over &= ends[rows] < begins[held].min()
    return over
