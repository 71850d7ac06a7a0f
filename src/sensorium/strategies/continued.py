"""Report how a model that was continued differs from what it was: distribution shift, weights, predictions, metrics."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from sensorium.evaluate.drift import answers_moved, columns_moved, metrics_moved, weights_moved
from sensorium.model import FittedModel
from sensorium.planning import PreparedTable, scores_before
from sensorium.strategies._base import Session, Stage, Strategy
from sensorium.trials import TrialResult


class Continued(Strategy):
    """Compare the model with the one that it was continued from."""

    SETTING: ClassVar[str] = "start"
    STAGE: ClassVar[Stage] = "report"

    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        assert so_far is not None
        so_far.model.card["moved"] = what_moved(session.data, so_far)
        return so_far


def what_moved(data: PreparedTable, result: TrialResult) -> dict[str, Any]:
    """Return the differences for the card of a model that was continued, as JSON values.

    Returns:
        `from`: the old table; `labels`: those that are new; `missing` and `unused` columns; `columns`, `weights`: see
        `sensorium.evaluate.drift`; `split`, `answers`, `metrics`: of both models on the same test rows (validation rows
        where there are none), new labels counting as wrong for the old one.
    """
    plan, start = data.plan, data.plan.start
    names = list(plan.learnt)
    assert start
    known = set(map(str, start.task.labels))
    now = result.model.card["statistics"]
    told: dict[str, Any] = {
        "from": start.card["table"],
        "labels": [str(label) for label in plan.task.labels if str(label) not in known],
        "missing": [name for name in names if name not in plan.table],
        "unused": [plan.name for plan in plan.columns if plan.reason.startswith("not used")],
        "columns": columns_moved(start.card.get("statistics", {}), now),
        "weights": weights_moved(start.network, result.model.network, list(plan.labels.index_map)),
    }
    split = next((name for name in ("test", "validation") if name in result.outcomes), None)
    if split is not None:
        told |= {"split": split, **_compare(data, start, result, split)}
    return told


def _compare(data: PreparedTable, start: FittedModel, result: TrialResult, split: str) -> dict[str, Any]:
    """Return predictions and metrics of both on the rows of a split that have a value in some column."""
    plan, rows, cells = data.plan, data.rows(split), data.cells
    there = np.flatnonzero(cells.has_any()[rows])
    if not len(there):
        return {}
    with start.network.reading_features(data.frozen):
        scores = scores_before(start, plan.task, list(plan.labels.index_map), cells, rows[there])
    after = result.outcomes[split].take(there)
    before = plan.task.outcome(scores, plan.target[rows[there]])
    return {
        "answers": answers_moved(plan.task, before.scores, after.scores),
        "metrics": metrics_moved(plan.labels.task_name, before, after, result.course.watched),
    }
