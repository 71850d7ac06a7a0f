"""Mean of the classes' precision, weighted by their numbers of rows."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.table import Floats

TASKS = ("class probabilities",)
ON_REQUEST = True
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def precision_weighted(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ_k t_k·TP_k / (TP_k + FP_k) / Σ_k t_k over classes k; t_k true rows; 0 for a class never predicted."""
    counts = Counts.of(outcome, weights)
    return counts.mean_over_rows(counts.precision())
