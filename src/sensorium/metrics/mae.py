"""Mean absolute error, in the target's unit."""

import numpy as np

from sensorium.metrics._base import Outcome, Terms
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("an amount",)
BEST = 0.0
LOWER_IS_BETTER = True


def terms(outcome: Outcome) -> Terms:
    """Return the absolute error of each row."""
    return np.abs(outcome.truth - outcome.scores), None


def mae(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·|truth − value| / Σ w."""
    return mean_of_rows(terms(outcome)[0], weights)
