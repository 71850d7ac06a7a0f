"""Mean absolute error in ranks: how many classes a prediction is away from the truth on average."""

import numpy as np

from sensorium.metrics._base import Outcome
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("ordered classes",)
BEST = 0.0
LOWER_IS_BETTER = True


def rank_mae(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·|rank of the truth − rank of the prediction| / Σ w."""
    return mean_of_rows(np.abs(outcome.truth - outcome.predicted), weights)
