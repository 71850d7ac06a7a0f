"""What is in a table: each column's modality and why, its gaps, what to look at before training; imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sensorium.config import Config
from sensorium.prepare import at_rows, learn_modality
from sensorium.problems import Problems, shorten
from sensorium.schema import ColumnPlan, Split, add_hints, infer_columns, infer_task, make_split, split_column
from sensorium.table import Table, open_table

EXAMPLES = 3  # values shown of a column
LOOKED_AT = 200  # cells of a column that are decoded on trial


@dataclass(frozen=True)
class ColumnReport:
    """One column.

    Attributes:
        name, modality, reason, caution: as in its plan; modality is None where it is left out.
        rows, missing, distinct: counts of its cells.
        examples: a few values.
        unreadable: of the cells looked at, how many can't be taken as they are, and why.
    """

    name: str
    modality: str | None
    reason: str
    caution: str
    rows: int
    missing: int
    distinct: int
    examples: list[str]
    unreadable: list[str]


@dataclass(frozen=True)
class Inspection:
    """A table seen through its columns.

    Attributes:
        table: its name.
        rows: how many.
        columns: one report each, in the table's order.
        target: column, task, reason and caution, if a target is given.
        split: how the rows are or would be split, and how many fall where, if a target is given.
    """

    table: str
    rows: int
    columns: list[ColumnReport]
    target: dict[str, Any] | None = None
    split: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def inspect(
    table: Any,
    target: str | None = None,
    *,
    config: Config | Mapping[str, Any] | None = None,
) -> Inspection:
    """Look at a table without training.

    Args:
        table: as for `fit`.
        target: the column that is to be predicted.
        config: settings as for `fit`.

    Raises:
        SensoriumError: the table can't be read, a named column isn't there, nothing is left to learn from.
    """
    settings = (
        config if isinstance(config, Config) else Config.gather(config or {}, {"target": target} if target else {})
    )
    opened = open_table(table, settings.table)
    plans = infer_columns(opened, settings)
    plans = add_hints(opened, plans, settings) if settings.target else plans
    columns = [_report(opened, plan, settings) for plan in plans]
    if not settings.target:
        return Inspection(opened.name, len(opened), columns)
    return Inspection(opened.name, len(opened), columns, _target(opened, settings), _split(opened, settings))


def _report(table: Table, plan: ColumnPlan, config: Config) -> ColumnReport:
    column = table.column(plan.name)
    return ColumnReport(
        name=plan.name,
        modality=plan.modality,
        reason=plan.reason,
        caution=plan.caution,
        rows=len(column),
        missing=int((~column.present).sum()),
        distinct=column.distinct if len(column.values) else 0,
        examples=[shorten(value) for value in column.sample(EXAMPLES)],
        unreadable=_try(table, plan, config),
    )


def _try(table: Table, plan: ColumnPlan, config: Config) -> list[str]:
    """Decode some cells as training would."""
    if plan.modality is None:
        return []
    rows = np.unique(np.linspace(0, len(table) - 1, min(LOOKED_AT, len(table))).astype(np.int64))
    column = table.column(plan.name).take(rows)
    found = learn_modality(plan, column, config).encode(column)
    return [str(group) for group in at_rows(Problems(found.problems), rows).groups()]


def _target(table: Table, config: Config) -> dict[str, Any]:
    assert config.target
    column = table.column(config.target)
    task, guess = infer_task(column, config)
    missing = int((~column.present).sum())
    return {"column": config.target, "task": task, "reason": guess.reason, "caution": guess.caution, "missing": missing}


def _split(table: Table, config: Config) -> dict[str, Any]:
    assert config.target
    found = split_column(table, config)
    split: Split = make_split(table, table.column(config.target), config.split, found, config.seed)
    return {"how": split.how, "rows": split.sizes()}
