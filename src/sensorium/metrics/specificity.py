"""Fraction of the negative rows that are predicted negative (true negative rate)."""

from sensorium.metrics._base import Outcome, Trials
from sensorium.metrics._ratios import share_of_trials
from sensorium.table import Floats

TASKS = ("binary",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def trials(outcome: Outcome) -> Trials:
    """Return which rows are predicted negative; the negative ones count."""
    return outcome.predicted == 0, outcome.truth == 0


def specificity(outcome: Outcome, weights: Floats) -> Floats:
    """Compute TN / (TN + FP); NaN if no row is negative."""
    return share_of_trials(trials(outcome), weights)
