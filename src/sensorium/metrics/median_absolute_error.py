"""Median absolute error, in the target's unit; outliers do not change it."""

import numpy as np

from sensorium.metrics._base import Outcome
from sensorium.table import Floats

TASKS = ("an amount",)
BEST = 0.0
LOWER_IS_BETTER = True


def median_absolute_error(outcome: Outcome, weights: Floats) -> Floats:
    """Compute the weighted median of |truth − value|; if half of the weight lies below, the mean of two errors."""
    errors = np.abs(outcome.truth - outcome.scores)
    order = np.argsort(errors, kind="stable")
    below = weights[:, order].cumsum(1)
    half = below[:, -1:] / 2
    low = np.minimum((below < half).sum(1), len(order) - 1)
    high = np.minimum((below <= half).sum(1), len(order) - 1)
    found = errors[order][low] / 2 + errors[order][high] / 2
    return np.where(half[:, 0] > 0, found, np.nan)
