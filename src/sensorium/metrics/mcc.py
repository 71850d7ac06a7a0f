"""Matthews correlation of truth and prediction, −1 to 1 (several classes: Gorodkin 2004)."""

import numpy as np

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import divide
from sensorium.table import Floats

TASKS = ("one class",)
BEST = 1.0
WORST = -1.0


def mcc(outcome: Outcome, weights: Floats) -> Floats:
    """Compute (c·s − Σ_k p_k·t_k) / √((s² − Σ p_k²)(s² − Σ t_k²)); c right, s all, p_k predicted, t_k true rows."""
    counts, total = Counts.of(outcome, weights), weights.sum(1)
    above = counts.right.sum(1) * total - (counts.predicted * counts.true).sum(1)
    spread = (total**2 - (counts.predicted**2).sum(1)) * (total**2 - (counts.true**2).sum(1))
    return divide(above, np.sqrt(np.maximum(spread, 0)))
