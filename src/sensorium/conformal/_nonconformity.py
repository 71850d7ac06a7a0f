"""Nonconformity scores: how unlike the training rows a row would be with each class, label or value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.conformal._spread import ONE_SPREAD, Spread
from sensorium.table import Floats

SetMethod: TypeAlias = Literal["lac", "aps"]
IntervalMethod: TypeAlias = Literal["absolute", "normalized"]
Method: TypeAlias = Literal["lac", "aps", "labels", "absolute", "normalized"]
SET_METHODS: tuple[SetMethod, ...] = ("lac", "aps")
INTERVAL_METHODS: tuple[IntervalMethod, ...] = ("absolute", "normalized")


@dataclass(frozen=True)
class Nonconformity:
    """Nonconformity score of a task with classes, labels or amounts.

    `lac`: 1 − the probability of the class (least ambiguous sets; Sadinle, Lei and Wasserman 2019). These sets are the
    smallest on average; some are empty if the model is right more often than the coverage asks.
    `aps`: probability of all classes that are more probable (adaptive prediction sets; Romano, Sesia and Candès 2020,
    without their random numbers). The sets always contain the most probable class.
    `labels`: for any number of labels per row, 1 − the lowest probability of a label of the row: a set contains all
    of them.
    `absolute`: distance from the predicted value; all intervals have the same width.
    `normalized`: distance from the predicted value in units of the mean error of rows with such a prediction
    (Papadopoulos, Gammerman and Vovk 2008).

    Attributes:
        method: the score.
        ordered: whether the classes are ordered, so that a set has no gaps.
        spread: mean error by prediction, for `normalized`.
    """

    method: Method
    ordered: bool = False
    spread: Spread = ONE_SPREAD

    @property
    def has_sets(self) -> bool:
        """Return whether regions are sets of classes or labels; else they are intervals."""
        return self.method not in INTERVAL_METHODS

    def of_each(self, scores: Floats) -> Floats:
        """Return the nonconformity float64[n, k] of each class or label from probabilities float64[n, k]."""
        if self.method != "aps":
            found = 1 - scores
        else:
            order = np.argsort(-scores, axis=1, kind="stable")
            sorted_scores = np.take_along_axis(scores, order, 1)
            found = np.empty_like(scores)
            np.put_along_axis(found, order, np.cumsum(sorted_scores, 1) - sorted_scores, 1)
        if not self.ordered:
            return found
        below = np.minimum.accumulate(found, 1)
        above = np.minimum.accumulate(found[:, ::-1], 1)[:, ::-1]
        return np.maximum(below, above)

    def of_truth(self, scores: Floats, truth: npt.NDArray[Any]) -> Floats:
        """Return the nonconformity float64[n] of the true class, of all true labels, or of the true amount."""
        if not self.has_sets:
            return np.abs(truth - scores) / self.spread.at(scores)
        own = self.of_each(scores)
        if truth.ndim == 1:
            return own[np.arange(len(own)), truth]
        return np.where(truth, own, 0.0).max(1, initial=0.0)

    def intervals(self, scores: Floats, limits: Floats) -> Floats:
        """Return float64[n, 2]: the values whose nonconformity is up to the limit of each row, float64[n]."""
        reach = limits * self.spread.at(scores)
        return np.stack([scores - reach, scores + reach], 1)
