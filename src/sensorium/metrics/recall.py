"""Fraction of the positive rows that are predicted positive."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import divide
from sensorium.table import Floats

TASKS = ("binary",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def recall(outcome: Outcome, weights: Floats) -> Floats:
    """Compute TP / (TP + FN); NaN if no row is positive."""
    counts = Counts.of(outcome, weights)
    return divide(counts.right[:, 1], counts.true[:, 1])
