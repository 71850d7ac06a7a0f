"""Loss of each row, by which the search compares slices."""

from __future__ import annotations

import numpy as np

from sensorium.metrics import Outcome, log_losses
from sensorium.table import Floats


def loss_name(outcome: Outcome) -> str:
    """Return the name of the loss of `row_losses`."""
    if outcome.parts:
        return "relative loss"
    return "log loss" if outcome.scores.ndim > 1 else "squared error"


def row_losses(outcome: Outcome) -> Floats:
    """Return the loss of each row, float64[n]: the log loss of classes and labels, the squared error of amounts.

    With several targets, it is the mean over the targets whose label is known of the loss divided by the mean loss of
    the target, so that units do not matter.
    """
    if not outcome.parts:
        if outcome.scores.ndim > 1:
            return log_losses(outcome)
        return np.square(outcome.truth.astype(np.float64) - outcome.scores)
    total, known = np.zeros(len(outcome)), np.zeros(len(outcome))
    for name in outcome.parts:
        rows, own = outcome.of_target(name)
        if len(rows):
            losses = row_losses(own)
            total[rows] += losses / (losses.mean() or 1.0)
            known[rows] += 1
    return total / np.maximum(known, 1)
