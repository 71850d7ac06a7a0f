"""Mean of the classes' F1, weighted by their numbers of rows."""

import numpy as np

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import divide
from sensorium.table import Floats

TASKS = ("class probabilities",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def f1_weighted(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ_k t_k·F1_k / Σ_k t_k over classes k; t_k true rows."""
    counts = Counts.of(outcome, weights)
    shares = np.where(counts.true > 0, counts.true * counts.f1(), 0)  # F1 of a class that does not occur can be NaN
    return divide(shares.sum(1), counts.true.sum(1))
