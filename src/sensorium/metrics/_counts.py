"""Weighted counts of correct, predicted and true labels; and of positives and negatives by score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sensorium.metrics._base import Outcome
from sensorium.metrics._means import divide
from sensorium.table import Floats


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
            classes = np.arange(outcome.scores.shape[1])
            truth, predicted = truth[:, None] == classes, predicted[:, None] == classes  # (n, k)
        both = (truth & predicted).astype(np.float64)
        return cls(weights @ both, weights @ predicted.astype(np.float64), weights @ truth.astype(np.float64))

    def f1(self) -> Floats:
        """Return F1 [r, k]; NaN for a class that neither occurs nor is predicted."""
        return divide(2 * self.right, self.predicted + self.true)


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
