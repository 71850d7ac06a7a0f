"""F1 of the counts summed over classes (equals accuracy if each row has one class)."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import divide
from sensorium.table import Floats

TASKS = ("multiclass", "multilabel", "ordinal")
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def f1_micro(outcome: Outcome, weights: Floats) -> Floats:
    """2·ΣTP / (2·ΣTP + ΣFP + ΣFN)."""
    counts = Counts.of(outcome, weights)
    return divide(2 * counts.right.sum(1), (counts.predicted + counts.true).sum(1))
