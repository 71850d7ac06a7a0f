"""What a model that was continued is now, beside what it was."""

from __future__ import annotations

from typing import Any

import numpy as np

from sensorium.evaluate.drift import answers_moved, columns_moved, metrics_moved, weights_moved
from sensorium.experiment._experiment import Experiment, Trained
from sensorium.experiment._start import scores_before
from sensorium.model import FittedModel


def what_moved(experiment: Experiment, trained: Trained) -> dict[str, Any]:
    """For the card of a model that was continued, as JSON values.

    Returns:
        `from`: the old table; `labels`: those that are new; `missing` and `unused` columns; `columns`, `weights`: see
        `sensorium.evaluate.drift`; `split`, `answers`, `metrics`: of both models on the same test rows (validation rows
        where there are none), new labels counting as wrong for the old one.
    """
    start, names = experiment.start, list(experiment.learnt)
    assert start
    known = set(map(str, start.task.labels))
    now = trained.bundle.card["statistics"]
    told: dict[str, Any] = {
        "from": start.card["table"],
        "labels": [str(label) for label in experiment.task.labels if str(label) not in known],
        "missing": [name for name in names if name not in experiment.table],
        "unused": [plan.name for plan in experiment.plans if plan.reason.startswith("not used")],
        "columns": columns_moved(start.card.get("statistics", {}), now),
        "weights": weights_moved(start.network, trained.bundle.network, experiment.kept),
    }
    split = next((name for name in ("test", "validation") if name in trained.outcomes), None)
    if split is not None:
        told |= {"split": split, **_held_against(experiment, start, trained, split)}
    return told


def _held_against(experiment: Experiment, start: FittedModel, trained: Trained, split: str) -> dict[str, Any]:
    """Answers and metrics of both on the rows of a split that have a value in some column."""
    rows, prepared = experiment.rows(split), experiment.prepared
    there = np.flatnonzero(prepared.has_any()[rows])
    if not len(there):
        return {}
    with start.network.reading_features(experiment.frozen):
        scores = scores_before(start, experiment.task, experiment.kept, prepared, rows[there])
    after = trained.outcomes[split].take(there)
    before = experiment.task.outcome(scores, experiment.target[rows[there]])
    return {
        "answers": answers_moved(experiment.task, before.scores, after.scores),
        "metrics": metrics_moved(experiment.task_name, before, after, trained.history.watched),
    }
