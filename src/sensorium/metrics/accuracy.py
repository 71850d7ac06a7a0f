"""Fraction of correct predictions (multilabel: of rows with all labels correct)."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("class probabilities",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def accuracy(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·[truth = predicted] / Σ w."""
    right = outcome.truth == outcome.predicted
    return mean_of_rows(right.all(1) if outcome.is_multilabel else right, weights)
