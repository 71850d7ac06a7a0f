"""Fraction of pairs of a true and a false label of a row that are ranked wrongly; ties count as wrong."""

import numpy as np

from sensorium.metrics._base import Outcome, Terms
from sensorium.metrics._label_ranks import label_ranks, mean_of_true
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("multilabel",)
ON_REQUEST = True
BEST = 0.0
WORST = 1.0
LOWER_IS_BETTER = True
IN_POINTS = True


def terms(outcome: Outcome) -> Terms:
    """Return the share of wrong pairs of each row."""
    ranks, true = label_ranks(outcome)
    false = (~outcome.truth).sum(1, keepdims=True)
    return mean_of_true((ranks - true) / np.maximum(false, 1), outcome.truth, 0.0), None


def label_ranking_loss(outcome: Outcome, weights: Floats) -> Floats:
    """Compute the share of wrong pairs of each row (0 if it has no pair), and its weighted mean over rows."""
    return mean_of_rows(terms(outcome)[0], weights)
