"""Mean absolute error in ranks: how many classes a prediction is away from the truth on average."""

import numpy as np

from sensorium.metrics._base import Outcome, Terms
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("ordered classes",)
BEST = 0.0
LOWER_IS_BETTER = True


def terms(outcome: Outcome) -> Terms:
    """Return the error in ranks of each row."""
    return np.abs(outcome.truth - outcome.predicted).astype(np.float64), None


def rank_mae(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·|rank of the truth − rank of the prediction| / Σ w."""
    return mean_of_rows(terms(outcome)[0], weights)
