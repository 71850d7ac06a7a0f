"""Fraction of correct predictions (multilabel: of rows with all labels correct)."""

from sensorium.metrics._base import Floats, Outcome, mean_of_rows

TASKS = ("binary", "multiclass", "multilabel")
IN_POINTS = True


def accuracy(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·[truth = predicted] / Σ w."""
    right = outcome.truth == outcome.predicted
    return mean_of_rows(right.all(1) if outcome.is_multilabel else right, weights)
