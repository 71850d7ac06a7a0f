"""Columns and target of a table, taken from the model to continue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensorium.config import Config
from sensorium.findings import Guess
from sensorium.model import FittedModel
from sensorium.planning._start import check_own, continued_plans
from sensorium.schema import Schema, add_hints, views_of
from sensorium.table import Table

if TYPE_CHECKING:
    from sensorium.runtime.progress import Reporter


def continued_schema(table: Table, config: Config, start: FittedModel, report: Reporter) -> Schema:
    """Take modalities and task from the model to continue."""
    assert config.target
    check_own(config, start)
    target, reading = table.column(config.target), start.task.reading
    plans = continued_plans(table, config, start)
    table = table.with_views(views_of(plans))
    labels = reading.apply(target)
    plans = add_hints(table.with_column(labels), plans, config)
    missing = [name for name in start.kinds if name not in table]
    if missing:
        report.log(f"? the table lacks columns of the model: {', '.join(missing)}; they are read as missing")
    guess = Guess(1.0, "the task of the model that is continued")
    return Schema(table, plans, dict(start.kinds), target, labels, reading, start.task_name, guess)
