"""Fraction of the target's variance that is explained; 0 for always predicting the mean, negative if worse."""

from sensorium.metrics._base import Outcome, Terms
from sensorium.metrics._means import divide, mean_of_rows, with_safe_squares
from sensorium.table import Floats

TASKS = ("an amount",)
BEST = 1.0


def terms(outcome: Outcome) -> Terms:
    """Return the squared error of each row, and the squared distance of its truth to the mean."""
    return (outcome.truth - outcome.scores) ** 2, (outcome.truth - outcome.truth.mean()) ** 2


def of_ratio(ratio: float) -> float:
    """Return the metric from the ratio of the sums."""
    return 1 - ratio


def r2(outcome: Outcome, weights: Floats) -> Floats:
    """Compute 1 − Σ w·(truth − value)² / Σ w·(truth − mean)²."""
    middle = outcome.truth.mean()  # else squares of a far-off target drown its variance
    left, centred, _ = with_safe_squares(outcome.truth - outcome.scores, outcome.truth - middle)
    variance = mean_of_rows(centred**2, weights) - mean_of_rows(centred, weights) ** 2
    return 1 - divide(mean_of_rows(left**2, weights), variance)
