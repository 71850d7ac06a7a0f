"""Fit the conformal predictors of a trained model, and check their coverage on the test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sensorium.conformal import LEVEL, Conformal, Presence, fit_conformal, methods_of, units_needed
from sensorium.evaluate.coverage import measure_coverage
from sensorium.metrics import Outcome
from sensorium.model import FittedModel
from sensorium.model.card import CalibrationSource, ConformalRecord, CoverageRecord
from sensorium.planning import PreparedTable

if TYPE_CHECKING:
    from sensorium.table import Rows


def with_conformal(
    data: PreparedTable, fitted: FittedModel, outcome: Outcome, rows: Rows, source: CalibrationSource
) -> FittedModel:
    """Return the model with the conformal predictors of its targets, and with the record of them.

    Args:
        data: the table.
        fitted: the calibrated model.
        outcome: its outcome on rows that it did not learn from.
        rows: positions of these rows.
        source: how these rows were predicted.
    """
    config = data.plan.config
    if config.conformal == "none":
        return fitted
    presence = _presence(data, fitted, rows)
    found = fit_conformal(outcome, fitted.task_name, presence, method=config.conformal, seed=config.seed)
    if not found:
        return fitted
    record = ConformalRecord(
        source=source,
        methods={name: own.method for name, own in found.items()},
        asked=config.conformal if _lacks_rows(fitted, found, config.conformal) else None,
        rows={name: own.every.rows for name, own in found.items()},
        groups={name: own.every.units for name, own in found.items()} if outcome.groups is not None else None,
        by_time=config.split.time is not None,
    )
    return replace(fitted, conformal=found, card=fitted.card.updated(conformal=record))


def _lacks_rows(fitted: FittedModel, found: Mapping[str, Conformal], method: str) -> bool:
    """Return whether a score suits a target that has another one."""
    kinds = fitted.task.target_tasks
    return any(
        method in methods_of(kinds.get(name, fitted.task_name)) and own.method != method for name, own in found.items()
    )


def with_tested_coverage(data: PreparedTable, fitted: FittedModel, outcome: Outcome | None) -> ConformalRecord | None:
    """Return the record of the conformal predictors with their coverage on the test rows, if there are enough rows."""
    record = fitted.card.conformal
    if record is None or outcome is None:
        return record
    enough = {name: own for name, own in fitted.conformal.items() if own.every.units >= units_needed(LEVEL)}
    measured = measure_coverage(enough, outcome, _presence(data, fitted, data.rows("test")), LEVEL)
    tested = {
        name: CoverageRecord(
            rows=own.every.rows,
            coverage=own.every.coverage,
            interval=list(own.every.interval),
            size=own.every.size,
            size_interval=list(own.every.size_interval),
        )
        for name, own in measured.targets.items()
    }
    return record.updated(level=LEVEL, test=tested)


def _presence(data: PreparedTable, fitted: FittedModel, rows: Rows) -> Presence:
    columns = data.cells.only(fitted.learnt).columns
    return fitted.presence({name: column.present[rows] for name, column in columns.items()})
