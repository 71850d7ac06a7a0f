"""Mean precision at the rank of each true label of a row; 1 if all true labels rank above the others."""

from sensorium.metrics._base import Outcome, Terms
from sensorium.metrics._label_ranks import label_ranks, mean_of_true
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("multilabel",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def terms(outcome: Outcome) -> Terms:
    """Return the average precision of the labels of each row."""
    ranks, true = label_ranks(outcome)
    return mean_of_true(true / ranks, outcome.truth, 1.0), None


def label_ranking_average_precision(outcome: Outcome, weights: Floats) -> Floats:
    """Compute the mean over true labels j of (true labels ranked at or above j) / rank of j; 1 for rows without label.

    Equally probable labels share the lowest rank. The weighted mean is taken over rows.
    """
    return mean_of_rows(terms(outcome)[0], weights)
