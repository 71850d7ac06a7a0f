"""Spearman's rank correlation of truth and prediction (amounts, or ordered classes), −1 to 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Counts
from sensorium.metrics._means import divide
from sensorium.table import Floats

TASKS = ("ordered classes", "an amount")
BEST = 1.0
WORST = -1.0


def spearman(outcome: Outcome, weights: Floats) -> Floats:
    """Compute the correlation of mid-ranks: of true and predicted classes, or of true values and scores."""
    total = weights.sum(1)
    if outcome.scores.ndim == 1:
        truth, predicted = (_ranks(values, weights) for values in (outcome.truth, outcome.scores))
        spread = (weights * truth**2).sum(1) * (weights * predicted**2).sum(1)
        return divide((weights * truth * predicted).sum(1), np.sqrt(spread))
    counts = Counts.of(outcome, weights)
    truth, predicted = _centred(counts.true, total), _centred(counts.predicted, total)
    joint = (weights * truth[:, outcome.truth] * predicted[:, outcome.predicted]).sum(1)
    spread = (counts.true * truth**2).sum(1) * (counts.predicted * predicted**2).sum(1)
    return divide(joint, np.sqrt(spread))


def _ranks(values: npt.NDArray[np.float64], weights: Floats) -> Floats:
    """Return the centred mid-rank of each row: [n] → [r, n]."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(values[order]) != 0]))
    place = np.empty(len(order), np.int64)
    place[order] = np.searchsorted(starts, np.arange(len(order)), side="right") - 1
    return _centred(np.add.reduceat(weights[:, order], starts, axis=1), weights.sum(1))[:, place]


def _centred(counts: Floats, total: Floats) -> Floats:
    """Return the mid-rank of each class minus the mean of all ranks, as a share of the rows: [r, k] → [r, k]."""
    below = counts.cumsum(1) - counts
    return (below + counts / 2) / np.where(total > 0, total, 1)[:, None] - 0.5
