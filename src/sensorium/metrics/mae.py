"""Mean absolute error, in the target's unit."""

import numpy as np

from sensorium.metrics._base import Outcome
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("an amount",)
BEST = 0.0
LOWER_IS_BETTER = True


def mae(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·|truth − value| / Σ w."""
    return mean_of_rows(np.abs(outcome.truth - outcome.scores), weights)
