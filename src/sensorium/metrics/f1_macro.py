"""Mean of the classes' F1, unweighted (over classes that occur or are predicted)."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import mean_of_defined
from sensorium.table import Floats

TASKS = ("class probabilities",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def f1_macro(outcome: Outcome, weights: Floats) -> Floats:
    """Compute the mean over classes k of 2·TP_k / (2·TP_k + FP_k + FN_k)."""
    return mean_of_defined(Counts.of(outcome, weights).f1().T)
