"""Weighted counts of correct, predicted and true labels; and of positives and negatives by score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sensorium.metrics._base import Outcome
from sensorium.metrics._means import divide
from sensorium.table import Floats

MIN_SORTED_CLASSES = 64  # from which rows are sorted by class; fewer are compared with every class


@dataclass(frozen=True)
class Counts:
    """Return weighted counts per class or label, float64[r, k]: correctly predicted, predicted, true."""

    right: Floats
    predicted: Floats
    true: Floats

    @classmethod
    def of(cls, outcome: Outcome, weights: Floats) -> Counts:
        truth, predicted = outcome.truth, outcome.predicted
        if not outcome.is_multilabel:
            if outcome.scores.shape[1] >= MIN_SORTED_CLASSES:
                right = weights * (truth == predicted)
                sums = [(right, truth), (weights, predicted), (weights, truth)]
                return cls(*(_sum_by_class(values, of, outcome.scores.shape[1]) for values, of in sums))
            classes = np.arange(outcome.scores.shape[1])
            truth, predicted = truth[:, None] == classes, predicted[:, None] == classes  # (n, k)
        both = (truth & predicted).astype(np.float64)
        return cls(weights @ both, weights @ predicted.astype(np.float64), weights @ truth.astype(np.float64))

    def f1(self) -> Floats:
        """Return F1 [r, k]; NaN for a class that neither occurs nor is predicted."""
        return divide(2 * self.right, self.predicted + self.true)

    def precision(self) -> Floats:
        """Return precision [r, k]: 0 for a class that is never predicted, NaN if it does not occur either."""
        return np.where(
            self.predicted + self.true > 0, self.right / np.where(self.predicted > 0, self.predicted, 1), np.nan
        )

    def recall(self) -> Floats:
        """Return recall [r, k]: 0 for a class that does not occur, NaN if it is not predicted either."""
        return np.where(self.predicted + self.true > 0, self.right / np.where(self.true > 0, self.true, 1), np.nan)

    def mean_over_rows(self, values: Floats) -> Floats:
        """Return the mean of values [r, k] over the classes, weighted by their true rows: [r]."""
        shares = np.where(self.true > 0, self.true * values, 0)  # values of a class that does not occur can be NaN
        return divide(shares.sum(1), self.true.sum(1))


def _sum_by_class(values: Floats, classes: npt.NDArray[np.int64], count: int) -> Floats:
    """Return float64[r, count]: the sum over the rows of each class."""
    order = np.argsort(classes, kind="stable")
    present, starts = np.unique(classes[order], return_index=True)
    sums = np.zeros((len(values), count))
    sums[:, present] = np.add.reduceat(values[:, order], starts, axis=1)
    return sums


@dataclass(frozen=True)
class Ranking:
    """Return weighted positives and negatives at each distinct score, float64[r, g], lowest score first."""

    positive: Floats
    negative: Floats

    @classmethod
    def of(cls, truth: npt.NDArray[np.bool_], scores: Floats, weights: Floats) -> Ranking:
        order = np.argsort(scores, kind="stable")
        sorted_scores = scores[order]
        starts = np.flatnonzero(np.concatenate([[True], sorted_scores[1:] != sorted_scores[:-1]]))
        ordered = weights[:, order]
        positive = np.add.reduceat(ordered * truth[order], starts, axis=1)
        return cls(positive, np.add.reduceat(ordered, starts, axis=1) - positive)
