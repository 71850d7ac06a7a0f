"""Harmonic mean of precision and recall of the positive class."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.table import Floats

TASKS = ("binary",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def f1(outcome: Outcome, weights: Floats) -> Floats:
    """2·TP / (2·TP + FP + FN)."""
    return Counts.of(outcome, weights).f1()[:, 1]
