"""Root of the mean squared error, in the target's unit."""

import math

import numpy as np

from sensorium.metrics._base import Outcome, Terms
from sensorium.metrics._means import mean_of_rows, with_safe_squares
from sensorium.table import Floats

TASKS = ("an amount",)
BEST = 0.0
LOWER_IS_BETTER = True


def terms(outcome: Outcome) -> Terms:
    """Return the squared error of each row."""
    return (outcome.truth - outcome.scores) ** 2, None


def of_ratio(ratio: float) -> float:
    """Return the metric from the mean squared error."""
    return math.sqrt(max(0.0, ratio))


def rmse(outcome: Outcome, weights: Floats) -> Floats:
    """Compute √(Σ w·(truth − value)² / Σ w)."""
    left, unit = with_safe_squares(outcome.truth - outcome.scores)
    return np.sqrt(mean_of_rows(left**2, weights)) * unit
