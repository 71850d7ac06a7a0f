"""Mean absolute percentage error, as a fraction of the true value (0.1 is 10%); not defined if a true value is 0."""

import numpy as np

from sensorium.metrics._base import Outcome, Terms
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("regression",)
ON_REQUEST = True
BEST = 0.0
LOWER_IS_BETTER = True


def terms(outcome: Outcome) -> Terms:
    """Return the relative error of each row; of rows whose true value is 0, the absolute error."""
    size = np.abs(outcome.truth)
    return np.abs(outcome.truth - outcome.scores) / np.where(size > 0, size, 1), None


def mape(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·|truth − value| / |truth| / Σ w; NaN if a row of weight above 0 has a true value of 0."""
    zeros = weights @ (outcome.truth == 0).astype(np.float64) > 0
    return np.where(zeros, np.nan, mean_of_rows(terms(outcome)[0], weights))
