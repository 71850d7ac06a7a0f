"""Tasks with one class per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeFloat

from sensorium.findings import Problem
from sensorium.labels import LabelReading
from sensorium.table import Column, Floats
from sensorium.tasks._base import EncodedTarget, Label, Task
from sensorium.tasks._class_weights import class_weights
from sensorium.tasks._classes import encode_classes, same_value

if TYPE_CHECKING:
    from torch import Tensor

ROUNDING = 1e-6  # by which a sum of shares may differ from 1


@dataclass(frozen=True)
class Classification(Task):
    """Base of tasks with one class per row.

    Attributes:
        classes: the labels, in the order of the columns of `scores`.
        weights: weights of the classes in the loss.
    """

    classes: list[Label]
    weights: list[NonNegativeFloat]

    @classmethod
    def weighted(cls, classes: list[Label], column: Column, class_weight: str) -> Self:
        """Return the task with these classes, weighted by their rows."""
        rows = encode_classes(column, classes, LabelReading()).values[column.present]
        return cls(classes, class_weights(np.bincount(rows, minlength=len(classes)), class_weight))

    @property
    def labels(self) -> list[Label]:
        return self.classes

    def encode(self, column: Column) -> EncodedTarget:
        return encode_classes(column, self.classes, self.reading)

    def prior(self, values: npt.NDArray[Any]) -> list[float]:
        return [float(share) for share in np.bincount(values, minlength=len(self.classes)) / len(values)]

    def check_prior(self, prior: Sequence[float]) -> None:
        super().check_prior(prior)
        if abs(sum(prior) - 1) > ROUNDING:
            raise ValueError(f"prior scores whose sum is {sum(prior):g} instead of 1")

    def findings(self, column: str) -> list[Problem]:
        return [*super().findings(column), *same_value(column, self.classes)]


def cross_entropy(logits: Tensor, target: Tensor, weights: Sequence[float]) -> Tensor:
    """Return the mean of the weighted cross-entropies of rows, from logits (b, k) and classes int64 (b)."""
    from torch.nn import functional

    losses = functional.cross_entropy(logits, target, reduction="none")
    return (losses * logits.new_tensor(weights)[target]).mean()


def softmax(logits: npt.NDArray[np.floating[Any]]) -> Floats:
    """Return probabilities float64 (n, k) from one logit per class."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True), np.float64)
