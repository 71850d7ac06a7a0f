"""Fraction of correct predictions (multilabel: of rows with all labels correct, the subset accuracy)."""

from sensorium.metrics._base import Outcome, Trials
from sensorium.metrics._ratios import share_of_trials
from sensorium.table import Floats

TASKS = ("class probabilities",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def trials(outcome: Outcome) -> Trials:
    """Return which rows are predicted correctly; all rows count."""
    right = outcome.truth == outcome.predicted
    return right.all(1) if outcome.is_multilabel else right, None


def accuracy(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·[truth = predicted] / Σ w."""
    return share_of_trials(trials(outcome), weights)
