"""Fraction of the positive rows that are predicted positive (sensitivity)."""

from sensorium.metrics._base import Outcome, Trials
from sensorium.metrics._ratios import share_of_trials
from sensorium.table import Floats

TASKS = ("binary",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def trials(outcome: Outcome) -> Trials:
    """Return which rows are predicted positive; the positive ones count."""
    return outcome.predicted == 1, outcome.truth == 1


def recall(outcome: Outcome, weights: Floats) -> Floats:
    """Compute TP / (TP + FN); NaN if no row is positive."""
    return share_of_trials(trials(outcome), weights)
