"""Fraction of the rows predicted positive that are positive."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import divide
from sensorium.table import Floats

TASKS = ("binary",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def precision(outcome: Outcome, weights: Floats) -> Floats:
    """Compute TP / (TP + FP); NaN if nothing is predicted positive."""
    counts = Counts.of(outcome, weights)
    return divide(counts.right[:, 1], counts.predicted[:, 1])
