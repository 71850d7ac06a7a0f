"""Columns and target of a table as a fit reads them, inferred anew or taken from the model that is continued."""

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
    """What the columns and the target of a table are.

    Attributes:
        table: with the views that the columns have.
        columns: a plan for each column of the table.
        kinds: column → modality, as far as it is known before training cells are read.
        target: the target's cells.
        labels: the target's cells, read as labels.
        reading: how cells become labels.
        task_name: registered name of the task.
        task_guess: why it is this task.
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
    """Take modalities and task from the model that is continued."""
    check_own(config, start)
    target, reading = _target(table, config), start.task.reading
    plans = continued_plans(table, config, start)
    table = table.with_views(views_of(plans))
    labels = reading.apply(target)
    plans = add_hints(table.with_column(labels), plans, config)
    missing = [name for name in start.kinds if name not in table]
    if missing:
        report.log(f"? the table lacks columns of the model: {', '.join(missing)}; they are read as missing")
    guess = Guess(1.0, "of the model that is continued")
    return Schema(table, plans, dict(start.kinds), target, labels, reading, start.task_name, guess)


def _target(table: Table, config: Config) -> Column:
    assert config.target
    return table.column(config.target)
