"""Fraction of all predicted labels that are true."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import divide
from sensorium.table import Floats

TASKS = ("multilabel",)
ON_REQUEST = True
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def precision_micro(outcome: Outcome, weights: Floats) -> Floats:
    """Compute ΣTP / (ΣTP + ΣFP); NaN if no label is predicted."""
    counts = Counts.of(outcome, weights)
    return divide(counts.right.sum(1), counts.predicted.sum(1))
