"""Mean of the classes' recall, unweighted; a class that is predicted but does not occur counts as 0."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import mean_of_defined
from sensorium.table import Floats

TASKS = ("class probabilities",)
ON_REQUEST = True
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def recall_macro(outcome: Outcome, weights: Floats) -> Floats:
    """Compute the mean of TP_k / (TP_k + FN_k) over classes k that occur or are predicted."""
    return mean_of_defined(Counts.of(outcome, weights).recall().T)
