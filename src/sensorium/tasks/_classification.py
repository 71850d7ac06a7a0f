"""Tasks with one class per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeFloat

from sensorium.findings import Problem
from sensorium.labels import LabelReading
from sensorium.table import Column
from sensorium.tasks._base import EncodedTarget, Label, Task
from sensorium.tasks._class_weights import class_weights
from sensorium.tasks._classes import encode_classes, same_value


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

    def decode(self, predicted: npt.NDArray[Any]) -> Sequence[Any]:
        return [self.classes[place] for place in predicted]

    def findings(self, column: str) -> list[Problem]:
        return [*super().findings(column), *same_value(column, self.classes)]
