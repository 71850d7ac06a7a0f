"""Mean of the classes' F1, weighted by their numbers of rows."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.table import Floats

TASKS = ("class probabilities",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def f1_weighted(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ_k t_k·F1_k / Σ_k t_k over classes k; t_k true rows."""
    counts = Counts.of(outcome, weights)
    return counts.mean_over_rows(counts.f1())
