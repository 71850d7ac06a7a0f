"""Fraction of rows whose true class is among the three with the highest probability."""

from sensorium.metrics._base import Outcome, Trials
from sensorium.metrics._ratios import share_of_trials
from sensorium.metrics._top_k import is_among_top
from sensorium.table import Floats

TASKS = ("multiclass", "ordinal")
ON_REQUEST = True
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def trials(outcome: Outcome) -> Trials:
    """Return which rows are correct; all rows count."""
    return is_among_top(outcome, 3), None


def top_3_accuracy(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·[fewer than 3 classes rank above the true class] / Σ w; 1 for up to 3 classes."""
    return share_of_trials(trials(outcome), weights)
