"""Fraction of labels that are predicted wrongly, over all rows and labels."""

from sensorium.metrics._base import Outcome, Terms
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("multilabel",)
BEST = 0.0
WORST = 1.0
LOWER_IS_BETTER = True
IN_POINTS = True


def terms(outcome: Outcome) -> Terms:
    """Return the share of wrong labels of each row."""
    return (outcome.truth != outcome.predicted).mean(1), None


def hamming_loss(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·(wrong labels of the row / number of labels) / Σ w."""
    return mean_of_rows(terms(outcome)[0], weights)
