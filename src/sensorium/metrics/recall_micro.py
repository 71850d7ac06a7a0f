"""Fraction of all true labels that are predicted."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import divide
from sensorium.table import Floats

TASKS = ("multilabel",)
ON_REQUEST = True
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def recall_micro(outcome: Outcome, weights: Floats) -> Floats:
    """Compute ΣTP / (ΣTP + ΣFN); NaN if no row has a label."""
    counts = Counts.of(outcome, weights)
    return divide(counts.right.sum(1), counts.true.sum(1))
