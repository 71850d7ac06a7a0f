"""Answers and metrics of two models on the same rows."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.evaluate import compare_outcomes, evaluate_outcome
from sensorium.metrics import Outcome, metrics_of
from sensorium.tasks import Task

Floats: TypeAlias = npt.NDArray[np.float64]
DIGITS = 6


def answers_moved(task: Task, before: Floats, after: Floats) -> dict[str, Any]:
    """How a task's scores of the same rows are distributed, before and after.

    Returns:
        `rows`; of labels `labels`: label → its mean probability [before, after], and `changed`: the share of rows
        whose answer is another one; of values their `mean` and `deviation`, [before, after] each.
    """
    told: dict[str, Any] = {"rows": len(before)}
    if not task.labels:
        figures = {"mean": [before.mean(), after.mean()], "deviation": [before.std(), after.std()]}
        return told | {key: [round(float(value), DIGITS) for value in pair] for key, pair in figures.items()}
    pairs = zip(before.mean(0), after.mean(0), strict=True)
    told["labels"] = {
        str(label): [round(float(value), DIGITS) for value in pair]
        for label, pair in zip(task.labels, pairs, strict=True)
    }
    other = task.predicted(before) != task.predicted(after)
    return told | {"changed": round(float(np.mean(other if other.ndim == 1 else other.any(1))), DIGITS)}


def metrics_moved(task: str, before: Outcome, after: Outcome, watched: str) -> dict[str, Any]:
    """Metrics of both with their intervals, and the paired difference of the watched one; positive: it got better."""
    old, new = (evaluate_outcome(outcome, metrics_of(task)).to_json() for outcome in (before, after))
    return {"before": old, "after": new, "difference": compare_outcomes(after, before, watched).to_json()}
