"""Brier score: mean squared error of the probabilities (several classes: summed over classes, 0 to 2; Brier 1950)."""

import numpy as np

from sensorium.metrics._base import Outcome, Terms
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("class probabilities",)
BEST = 0.0
LOWER_IS_BETTER = True


def terms(outcome: Outcome) -> Terms:
    """Return the squared error of each row."""
    return _squared_errors(outcome), None


def brier(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·s / Σ w, with the squared error s of each row.

    binary: s = (p − y)² of the positive class; multiclass: s = Σ_k (p_k − y_k)² over all classes; multilabel: s is the
    mean of (p_k − y_k)² over the labels.
    """
    return mean_of_rows(terms(outcome)[0], weights)


def _squared_errors(outcome: Outcome) -> Floats:
    scores = outcome.scores
    if outcome.is_multilabel:
        return np.asarray(np.square(scores - outcome.truth).mean(1), np.float64)
    if scores.shape[1] == 2:
        return np.asarray(np.square(scores[:, 1] - (outcome.truth == 1)), np.float64)
    errors = scores.copy()
    errors[np.arange(len(outcome)), outcome.truth] -= 1
    return np.asarray(np.einsum("nk,nk->n", errors, errors), np.float64)
