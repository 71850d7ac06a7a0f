"""Suggest how to split the rows, and name columns that may leak the target."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from typing import Any

import pyarrow.compute as pc

from sensorium.config import Config, as_yaml
from sensorium.findings import ColumnPlan, be, count
from sensorium.schema.copies import Sides
from sensorium.schema.groups import count_split_groups, group_reason, groups_rows
from sensorium.schema.leaks import predicts_alone, without_role
from sensorium.split import SPLITS
from sensorium.table import Column, Table, are_iso_dates, natural

FEW, MANY = 20, 1_000  # labelled rows between which cross-validation is suggested
RUN = 8  # numbered columns from which they may be a series

Advice = dict[str, Any]
"""{"setting", "column", "reason"}: a setting to consider; `setting` is empty if nothing is to be changed."""


def advise(table: Table, plans: Iterable[ColumnPlan], sides: Sides, config: Config) -> list[Advice]:
    """Suggest a group or a time to split by, and cross-validation; name columns that may leak the target."""
    target = table.column(config.target) if config.target else None
    found = []
    for plan in without_role(plans, config):
        column = table.column(plan.name)
        found += [_group(column, sides) if plan.name != config.split.group else None, _time(column, plan)]
        if plan.modality and target:
            found.append(_exclude(column, target))
    if target:
        found.append(_cross_validate(target, sides))
    return [*(advice for advice in found if advice), *_steps(table, config), *_told(table, config)]


def _told(table: Table, config: Config) -> list[Advice]:
    column = config.table.windows.time if config.table.windows else ""
    return [{"setting": "", "column": column, "reason": note} for note in table.notes]


def _steps(table: Table, config: Config) -> list[Advice]:
    """Find runs of numbered columns of numbers: they may be the steps of one series."""
    runs: dict[str, list[str]] = {}
    for name in sorted(table.columns, key=natural):
        numbered = re.fullmatch(r"(.*?)[0-9]+", name)
        if numbered and name != config.target and table.column(name).is_number:
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
    """Suggest to keep the rows of a group in one split."""
    if not groups_rows(column):
        return None
    reason = group_reason(column, count_split_groups(column, sides))
    return {"setting": f"split.group={as_yaml(column.name)}", "column": column.name, "reason": reason}


def _time(column: Column, plan: ColumnPlan) -> Advice | None:
    if plan.modality != "date" or column.distinct < 2 or not column.present.all():
        return None
    if not column.is_date and not (column.is_string and are_iso_dates(column.values)):
        return None
    first, last = pc.min_max(column.values).as_py().values()
    reason = f"dates from {str(first)[:10]} to {str(last)[:10]}: to evaluate predictions of later rows, split by time"
    return {"setting": f"split.time={as_yaml(column.name)}", "column": column.name, "reason": reason}


def _cross_validate(target: Column, sides: Sides) -> Advice | None:
    """Suggest cross-validation where a single split tests few rows."""
    labelled, test = int(target.present.sum()), int((sides.splits == SPLITS.index("test")).sum())
    if not FEW <= labelled < MANY:
        return None
    name = shlex.quote(target.name)
    reason = f"{count(labelled, 'row')} with a label, of which {test:,} {be(test)} tested: to test more of them, "
    reason += f"cross-validate: sensorium fit TABLE --target {name} --folds 5 (Python: folds=5)"
    return {"setting": "", "column": target.name, "reason": reason}


def _exclude(column: Column, target: Column) -> Advice | None:
    """Suggest to exclude a column that predicts the target too well."""
    reason = predicts_alone(column, target)
    setting = f"exclude=[{as_yaml(column.name)}]"
    return {"setting": setting, "column": column.name, "reason": reason} if reason else None
