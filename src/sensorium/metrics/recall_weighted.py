"""Mean of the classes' recall, weighted by their numbers of rows (equals accuracy if each row has one class)."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.table import Floats

TASKS = ("class probabilities",)
ON_REQUEST = True
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def recall_weighted(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ_k t_k·TP_k / (TP_k + FN_k) / Σ_k t_k over classes k; t_k true rows."""
    counts = Counts.of(outcome, weights)
    return counts.mean_over_rows(counts.recall())
