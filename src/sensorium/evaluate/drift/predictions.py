"""Compare predictions and metrics of two models on the same rows."""

from __future__ import annotations

import numpy as np

from sensorium.evaluate import compare_outcomes, evaluate_outcome
from sensorium.metrics import Outcome, default_metrics
from sensorium.model.card import EvaluationRecord, MetricShift, PredictionShift
from sensorium.table import Floats
from sensorium.tasks import Task

DIGITS = 6


def measure_prediction_shift(task: Task, before: Floats, after: Floats) -> PredictionShift:
    """Measure how the distribution of predictions on the same rows changed.

    Args:
        task: task of both models.
        before, after: scores of the same rows.
    """
    rows = len(before)
    if not task.labels:
        mean, deviation = _rounded(before.mean(), after.mean()), _rounded(before.std(), after.std())
        return PredictionShift(rows=rows, mean=mean, deviation=deviation)
    pairs = zip(before.mean(0), after.mean(0), strict=True)
    labels = {str(label): _rounded(*pair) for label, pair in zip(task.labels, pairs, strict=True)}
    other = task.predicted(before) != task.predicted(after)
    changed = round(float(np.mean(other if other.ndim == 1 else other.any(1))), DIGITS)
    return PredictionShift(rows=rows, labels=labels, changed=changed)


def measure_metric_shift(task: str, before: Outcome, after: Outcome, watched: str) -> MetricShift:
    """Compute the metrics of both models on the same rows, and the paired difference of the watched one."""
    old, new = (
        EvaluationRecord.model_validate(evaluate_outcome(outcome, default_metrics(task, watched)).to_json())
        for outcome in (before, after)
    )
    return MetricShift(before=old, after=new, difference=compare_outcomes(after, before, watched))


def _rounded(*values: float) -> list[float]:
    return [round(float(value), DIGITS) for value in values]
