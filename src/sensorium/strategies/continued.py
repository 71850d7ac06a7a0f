"""Report how continued training changed a model: distribution shift, weights, predictions, metrics."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from sensorium.evaluate.drift import (
    measure_column_shift,
    measure_metric_shift,
    measure_prediction_shift,
    measure_weight_shift,
)
from sensorium.model import FittedModel
from sensorium.model.card import ShiftRecord
from sensorium.planning import PreparedTable, scores_before
from sensorium.split import new_rows
from sensorium.strategies._base import Session, Stage, Strategy
from sensorium.trials import TrialResult


class Continued(Strategy):
    """Strategy that reports how the model differs from its start model."""

    SETTING: ClassVar[str] = "start"
    STAGE: ClassVar[Stage] = "report"
    CONFLICTS: ClassVar[dict[str, str]] = {
        "folds": "the model to continue may have learned from the rows that a fold tests"
    }

    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        assert so_far is not None
        fitted = so_far.model
        with session.report.phase("measuring the distribution shift"):
            fitted.card = fitted.card.updated(shift=measure_shift(session.data, so_far))
        return so_far


def measure_shift(data: PreparedTable, result: TrialResult) -> ShiftRecord:
    """Compare a model with its start model.

    Predictions and metrics of both are computed on the same test rows (validation rows if there are none); new labels
    count as wrong for the old model. Metrics leave out rows that the start model was trained on if others remain.
    """
    plan, start = data.plan, data.plan.start
    names = list(plan.learnt)
    assert start
    known = set(map(str, start.task.labels))
    shift = ShiftRecord(
        source=start.card.table,
        labels=[str(label) for label in plan.task.labels if str(label) not in known],
        missing=[name for name in names if name not in plan.table],
        unused=[column.name for column in plan.columns if column.reason.startswith("not used")],
        columns=measure_column_shift(start.data.statistics, result.model.data.statistics),
        weights=measure_weight_shift(start.network, result.model.network, list(plan.labels.index_map)),
    )
    split = next((name for name in ("test", "validation") if name in result.outcomes), None)
    if split is None:
        return shift
    return shift.updated(split=split, **_compare(data, start, result, split))


def _compare(data: PreparedTable, start: FittedModel, result: TrialResult, split: str) -> dict[str, Any]:
    """Compare predictions and metrics of both models on the rows of a split that have a value in any column."""
    plan, rows, cells = data.plan, data.rows(split), data.cells
    there = np.flatnonzero(cells.has_any()[rows])
    if not len(there):
        return {}
    with start.network.reading_features(data.frozen):
        scores = scores_before(start, plan.task, list(plan.labels.index_map), cells, rows[there])
    after = result.outcomes[split].take(there)
    before = plan.outcome(scores, rows[there])
    new, trained = new_rows(plan.split.earlier, plan.used[rows[there]])
    pair, watched = (before.take(new), after.take(new)), result.training_history.watched
    return {
        "answers": measure_prediction_shift(plan.task, before.scores, after.scores),
        "metrics": measure_metric_shift(plan.labels.task_name, *pair, watched).updated(trained=trained),
    }
