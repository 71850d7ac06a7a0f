"""Fraction of the positive rows that are predicted positive."""

from sensorium.metrics._base import Counts, Floats, Outcome, divide

TASKS = ("binary",)
IN_POINTS = True


def recall(outcome: Outcome, weights: Floats) -> Floats:
    """Compute TP / (TP + FN); NaN if no row is positive."""
    counts = Counts.of(outcome, weights)
    return divide(counts.right[:, 1], counts.true[:, 1])
