"""Suggest how to split the rows, and name columns that may leak the target."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from sensorium.config import Config, as_yaml, exclude_column, set_value
from sensorium.findings import ColumnPlan, Problem
from sensorium.schema.copies import Sides, value_ids
from sensorium.schema.leaks import names_unit
from sensorium.split import SPLITS
from sensorium.table import Column, Table, are_iso_dates, natural

FEW = 50  # different values of a column or target up to which one is guessed from the other
RUN = 8  # numbered columns from which they may be a series
SAVED = 0.5  # share of wrong guesses that a telling column saves

Advice = dict[str, Any]
"""{"setting", "column", "reason"}: a setting to consider; `setting` is empty if nothing is to be changed."""


def advise(table: Table, plans: Iterable[ColumnPlan], sides: Sides, config: Config) -> list[Advice]:
    """Suggest a group or a time to split by, and name columns that may leak the target."""
    found = []
    for plan in _advised(plans, config):
        column = table.column(plan.name)
        found += [_group(column, sides), _time(column, plan)]
        if plan.modality and config.target:
            found.append(_telling(column, table.column(config.target)))
    return [*(advice for advice in found if advice), *_steps(table, config), *_told(table, config)]


def leakage_findings(table: Table, plans: Iterable[ColumnPlan], sides: Sides, config: Config) -> list[Problem]:
    """Return the advice about data leakage alone, as findings: groups in several splits, and telling columns."""
    assert config.target
    target, found = table.column(config.target), list[Problem]()
    for plan in _advised(plans, config):
        column = table.column(plan.name)
        telling, group = _telling(column, target) if plan.modality else None, _group(column, sides)
        if telling:
            found.append(Problem(None, plan.name, telling["reason"], exclude_column(plan.name)))
        if group and _parted(column, sides):
            found.append(Problem(None, plan.name, group["reason"], set_value("split.group", as_yaml(plan.name))))
    return found


def _advised(plans: Iterable[ColumnPlan], config: Config) -> list[ColumnPlan]:
    """Return the columns that have no role in the split and are not the target."""
    roles = (config.target, config.split.group, config.split.time, config.split.column)
    return [plan for plan in plans if plan.name not in roles]


def _told(table: Table, config: Config) -> list[Advice]:
    column = config.table.windows.time if config.table.windows else ""
    return [{"setting": "", "column": column, "reason": note} for note in table.notes]


def _steps(table: Table, config: Config) -> list[Advice]:
    """Find runs of numbered columns of numbers: they may be the steps of one series."""
    runs: dict[str, list[str]] = {}
    for name in sorted(table.columns, key=natural):
        numbered = re.fullmatch(r"(.*?)[0-9]+", name)
        column = table.column(name)
        if numbered and name != config.target and column.is_number:
            runs.setdefault(numbered[1], []).append(name)
    found = []
    for stem, names in runs.items():
        if len(names) >= RUN:
            called = re.sub(r"\W+", "", stem).strip("_") or "steps"
            called = f"{called}_series" if called in table.columns else called
            reason = f"{len(names)} numbered columns of numbers, {names[0]} … {names[-1]}: if they are steps in time"
            setting = f"table.series={{{called}: {json.dumps(f'{stem}*', ensure_ascii=False)}}}"
            found.append({"setting": setting, "column": names[0], "reason": f"{reason}, read them as one series"})
    return found


def _group(column: Column, sides: Sides) -> Advice | None:
    """Suggest to keep rows of one person (or thing) in one split: they are alike, and inflate the test metrics."""
    if not names_unit(column.name) or not 1 < column.distinct < len(column.values):
        return None
    parted = _parted(column, sides)
    reason = f"{column.name} has {column.distinct:,} different values in {len(column.values):,} rows"
    reason += f"; {parted:,} of them are in several splits" if parted else ""
    return {"setting": f"split.group={as_yaml(column.name)}", "column": column.name, "reason": reason}


def _parted(column: Column, sides: Sides) -> int:
    """Count the values that are in several splits."""
    ids = value_ids(column)
    held = np.zeros((int(ids.max()) + 1, len(SPLITS)), bool)
    rows = np.flatnonzero((ids >= 0) & (sides.splits >= 0))
    held[ids[rows], sides.splits[rows]] = True
    return int((held.sum(1) > 1).sum())


def _time(column: Column, plan: ColumnPlan) -> Advice | None:
    if plan.modality != "date" or column.distinct < 2 or not column.present.all():
        return None
    if not column.is_date and not (column.is_string and are_iso_dates(column.values)):
        return None
    first, last = pc.min_max(column.values).as_py().values()
    reason = f"dates from {str(first)[:10]} to {str(last)[:10]}: to evaluate predictions of later rows, split by time"
    return {"setting": f"split.time={as_yaml(column.name)}", "column": column.name, "reason": reason}


def _telling(column: Column, target: Column) -> Advice | None:
    """Suggest to exclude a column that halves the wrong guesses: learned on every other row, counted on the rest."""
    if not 1 < column.distinct <= FEW or not 1 < target.distinct <= FEW or column.is_list or target.is_list:
        return None
    cells, labels = value_ids(column), value_ids(target)
    rows = np.flatnonzero((cells >= 0) & (labels >= 0))
    blind = _wrong(np.zeros(len(rows), np.int64), labels[rows])
    seen = _wrong(cells[rows], labels[rows])
    if len(rows) < 2 * FEW or seen > (1 - SAVED) * blind:
        return None
    reason = f"{column.name} alone predicts {1 - seen:.0%} of the labels; "
    reason += f"always guessing the most common one is right for {1 - blind:.0%}"
    reason += ": use it only if it is known at prediction time"
    return {"setting": f"exclude=[{as_yaml(column.name)}]", "column": column.name, "reason": reason}


def _wrong(cells: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> float:
    """Return the share of odd rows whose label is not the most common one of their cell in even rows."""
    counts = np.zeros((cells.max(initial=0) + 1, labels.max(initial=0) + 1))
    np.add.at(counts, (cells[::2], labels[::2]), 1)
    return float((counts.argmax(1)[cells[1::2]] != labels[1::2]).mean()) if len(labels) > 1 else 0.0
