"""Root of the mean squared error, in the target's unit."""

import numpy as np

from sensorium.metrics._base import Floats, Outcome, mean_of_rows

TASKS = ("regression",)
LOWER_IS_BETTER = True


def rmse(outcome: Outcome, weights: Floats) -> Floats:
    """√(Σ w·(truth − value)² / Σ w)."""
    return np.sqrt(mean_of_rows((outcome.truth - outcome.scores) ** 2, weights))
