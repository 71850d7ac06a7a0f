"""Columns and target of a table, inferred from it or taken from the model to continue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensorium.config import Config
from sensorium.findings import ColumnPlan, Guess
from sensorium.labels import LabelReading, read_labels
from sensorium.model import FittedModel
from sensorium.planning._start import check_own, continued_plans
from sensorium.schema import add_hints, infer_columns, views_of
from sensorium.table import Column, Table
from sensorium.tasks import infer_task

if TYPE_CHECKING:
    from sensorium.runtime.progress import Reporter


@dataclass(frozen=True)
class Schema:
    """Modalities of the columns, and target and task of a table.

    Attributes:
        table: the table, with the views of its columns.
        columns: a plan for each column of the table.
        kinds: column → modality, if it is known before training cells are read.
        target: the target's cells.
        labels: the target's cells, read as labels.
        reading: converts cells to labels.
        task_name: registered name of the task.
        task_guess: the reason for this task.
    """

    table: Table
    columns: Sequence[ColumnPlan]
    kinds: Mapping[str, str]
    target: Column
    labels: Column
    reading: LabelReading
    task_name: str
    task_guess: Guess


def infer_schema(table: Table, config: Config) -> Schema:
    """Infer modalities and task from the cells and the settings."""
    target = _target(table, config)
    labels, reading = read_labels(target, config)
    plans = infer_columns(table, config)
    table = table.with_views(views_of(plans))
    plans = add_hints(table.with_column(labels), plans, config)
    name, guess = infer_task(labels, config, reading)
    return Schema(table, plans, {}, target, reading.apply(target), reading, name, guess)


def continued_schema(table: Table, config: Config, start: FittedModel, report: Reporter) -> Schema:
    """Take modalities and task from the model to continue."""
    check_own(config, start)
    target, reading = _target(table, config), start.task.reading
    plans = continued_plans(table, config, start)
    table = table.with_views(views_of(plans))
    labels = reading.apply(target)
    plans = add_hints(table.with_column(labels), plans, config)
    missing = [name for name in start.kinds if name not in table]
    if missing:
        report.log(f"? the table lacks columns of the model: {', '.join(missing)}; they are read as missing")
    guess = Guess(1.0, "of the model to continue")
    return Schema(table, plans, dict(start.kinds), target, labels, reading, start.task_name, guess)


def _target(table: Table, config: Config) -> Column:
    assert config.target
    return table.column(config.target)
