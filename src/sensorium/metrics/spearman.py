"""Spearman's rank correlation of true and predicted classes, −1 to 1."""

import numpy as np

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import divide
from sensorium.table import Floats

TASKS = ("ordered classes",)
BEST = 1.0
WORST = -1.0


def spearman(outcome: Outcome, weights: Floats) -> Floats:
    """Compute the correlation of mid-ranks, from the weighted table of true and predicted classes."""
    counts, total = Counts.of(outcome, weights), weights.sum(1)
    truth, predicted = _centred(counts.true, total), _centred(counts.predicted, total)
    joint = (weights * truth[:, outcome.truth] * predicted[:, outcome.predicted]).sum(1)
    spread = (counts.true * truth**2).sum(1) * (counts.predicted * predicted**2).sum(1)
    return divide(joint, np.sqrt(spread))


def _centred(counts: Floats, total: Floats) -> Floats:
    """Return the mid-rank of each class minus the mean of all ranks, as a share of the rows: [r, k] → [r, k]."""
    below = counts.cumsum(1) - counts
    return (below + counts / 2) / np.where(total > 0, total, 1)[:, None] - 0.5
