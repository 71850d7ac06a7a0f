"""Cohen's kappa: agreement of truth and prediction beyond chance, −1 to 1 (Cohen 1960)."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import divide
from sensorium.table import Floats

TASKS = ("one class",)
ON_REQUEST = True
BEST = 1.0
WORST = -1.0


def cohen_kappa(outcome: Outcome, weights: Floats) -> Floats:
    """Compute (c·s − Σ_k p_k·t_k) / (s² − Σ_k p_k·t_k); c right, s all, p_k predicted, t_k true rows."""
    counts, total = Counts.of(outcome, weights), weights.sum(1)
    chance = (counts.predicted * counts.true).sum(1)
    return divide(counts.right.sum(1) * total - chance, total**2 - chance)
