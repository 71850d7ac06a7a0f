"""Root of the mean squared error, in the target's unit."""

import numpy as np

from sensorium.metrics._base import Outcome
from sensorium.metrics._means import mean_of_rows, with_safe_squares
from sensorium.table import Floats

TASKS = ("an amount",)
BEST = 0.0
LOWER_IS_BETTER = True


def rmse(outcome: Outcome, weights: Floats) -> Floats:
    """Compute √(Σ w·(truth − value)² / Σ w)."""
    left, unit = with_safe_squares(outcome.truth - outcome.scores)
    return np.sqrt(mean_of_rows(left**2, weights)) * unit
