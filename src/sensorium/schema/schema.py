"""Infer the schema of a table: modalities of its columns, labels and task of its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sensorium.config import Config
from sensorium.findings import ColumnPlan, Guess
from sensorium.labels import LabelReading, read_labels
from sensorium.schema._views import views_of
from sensorium.schema.infer import infer_columns
from sensorium.schema.leaks import add_hints
from sensorium.table import Column, Table
from sensorium.tasks import infer_task


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

    @property
    def labelled(self) -> Table:
        """The table, whose target is read as labels."""
        return self.table.with_column(self.labels)


def infer_schema(table: Table, config: Config) -> Schema:
    """Infer modalities and task from the cells and the settings; `config` names a target."""
    assert config.target
    target = table.column(config.target)
    labels, reading = read_labels(target, config)
    table, plans = infer_views(table, config)
    plans = add_hints(table.with_column(labels), plans, config)
    name, guess = infer_task(labels, config, reading)
    return Schema(table, plans, {}, target, reading.apply(target), reading, name, guess)


def infer_views(table: Table, config: Config) -> tuple[Table, list[ColumnPlan]]:
    """Return a table with the views of its columns, and a plan for each of its columns."""
    plans = infer_columns(table, config)
    return table.with_views(views_of(plans)), plans
