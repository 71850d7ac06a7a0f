"""Mean of the classes' recall, unweighted (over classes that occur)."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import divide, mean_of_defined
from sensorium.table import Floats

TASKS = ("one class",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def balanced_accuracy(outcome: Outcome, weights: Floats) -> Floats:
    """Compute the mean over classes k of TP_k / t_k; t_k true rows."""
    counts = Counts.of(outcome, weights)
    return mean_of_defined(divide(counts.right, counts.true).T)
