"""Fraction of the rows predicted positive that are positive."""

from sensorium.metrics._base import Outcome, Trials
from sensorium.metrics._ratios import share_of_trials
from sensorium.table import Floats

TASKS = ("binary",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def trials(outcome: Outcome) -> Trials:
    """Return which rows are positive; those predicted positive count."""
    return outcome.truth == 1, outcome.predicted == 1


def precision(outcome: Outcome, weights: Floats) -> Floats:
    """Compute TP / (TP + FP); NaN if nothing is predicted positive."""
    return share_of_trials(trials(outcome), weights)
