"""Ranks of the labels of each row by their probability (Tsoumakas, Katakis and Vlahavas 2010)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sensorium.metrics._base import Outcome
from sensorium.table import Floats, Rows

CELLS = 4_000_000  # pairs of labels compared at a time: 4 MB


def label_ranks(outcome: Outcome) -> tuple[Rows, Rows]:
    """Return the rank of each label and how many true labels are ranked at or above it, int64[n, k] each.

    Rank k means that k labels of the row have at least the probability of the label.
    """
    scores, truth = outcome.scores, outcome.truth
    every, true = np.zeros(scores.shape, np.int64), np.zeros(scores.shape, np.int64)
    step = max(1, CELLS // max(1, scores.shape[1] ** 2))
    for start in range(0, len(outcome), step):
        rows = slice(start, start + step)
        at_least = scores[rows, None, :] >= scores[rows, :, None]  # (row, label, compared label)
        every[rows] = at_least.sum(2)
        true[rows] = (at_least & truth[rows, None, :]).sum(2)
    return every, true


def mean_of_true(values: Floats, truth: npt.NDArray[np.bool_], without: float) -> Floats:
    """Return the mean over the true labels of each row, float64[n]; `without` for rows that have none."""
    number = truth.sum(1)
    return np.where(number > 0, (values * truth).sum(1) / np.maximum(number, 1), without)
