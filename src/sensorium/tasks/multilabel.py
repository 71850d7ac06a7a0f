"""Any number of labels a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from sensorium.errors import SchemaError
from sensorium.problems import Problem
from sensorium.schema import Guess
from sensorium.table import Column
from sensorium.tasks._base import UNBALANCED, EncodedTarget, Floats, Label, Task

if TYPE_CHECKING:
    from torch import Tensor

SEPARATORS = ("|", ";", ",")
SPACE = " "
HEAVIEST = 10.0  # largest weight of a rare label's positives


@dataclass(frozen=True)
class Multilabel(Task):
    """Binary cross-entropy over k labels, each decided for itself at 0.5.

    Attributes:
        names: the labels, in natural order; those that a continued model learnt later come last.
        separator: between the labels of a text cell; empty where cells are lists.
        weights: of each label's positive rows in the loss.
    """

    watch: ClassVar[str] = "average_precision"

    names: list[Label]
    separator: str
    weights: list[float]

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        return Guess(0.95, "cells are lists") if column.is_list else None

    @classmethod
    def learn(cls, column: Column, class_weight: str) -> Self:
        separator = "" if column.is_list else _separator(column.sample(500))
        names = _names(column, separator)
        if not names:
            raise SchemaError("no training row has a label", place=f"column {column.name!r}")
        return cls(names, separator, [1.0] * len(names))._weighted(column, class_weight)

    def extend(self, column: Column, class_weight: str) -> tuple[Self, list[int]]:
        """New labels come after those that are known; the weights are those of the new rows."""
        known = set(map(str, self.names))
        new = [name for name in _names(column, self.separator) if str(name) not in known]
        names = [*self.names, *new]
        extended = replace(self, names=names, weights=[1.0] * len(names))
        return extended._weighted(column, class_weight), list(range(self.outputs))

    def _weighted(self, column: Column, class_weight: str) -> Self:
        positive = self.encode(column).values.sum(0)
        return replace(self, weights=_weights(positive, len(column.values), class_weight))

    @property
    def outputs(self) -> int:
        return len(self.names)

    @property
    def labels(self) -> list[Label]:
        return self.names

    def encode(self, column: Column) -> EncodedTarget:
        places = {str(name): place for place, name in enumerate(self.names)}
        values, problems = np.zeros((len(column), len(self.names)), np.float32), list[Problem]()
        for row, value in enumerate(column.data.to_pylist()):
            for label in _split(value, self.separator) if value is not None else ():
                if str(label) in places:
                    values[row, places[str(label)]] = 1
                else:
                    problems.append(Problem(row, column.name, "a label not seen in training: left out", "", str(label)))
        return EncodedTarget(values, column.present, problems)

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        from torch.nn import functional

        return functional.binary_cross_entropy_with_logits(logits, target, pos_weight=logits.new_tensor(self.weights))

    def scores(self, logits: npt.NDArray[np.float32]) -> Floats:
        return 0.5 * (1 + np.tanh(0.5 * logits.astype(np.float64)))

    def prior(self, values: npt.NDArray[Any]) -> list[float]:
        return [float(share) for share in values.mean(0)]

    def predicted(self, scores: Floats) -> npt.NDArray[Any]:
        return scores >= 0.5

    def decode(self, predicted: npt.NDArray[Any]) -> Sequence[Any]:
        rows = [[self.names[place] for place in np.flatnonzero(row)] for row in predicted]
        return [self.separator.join(map(str, row)) for row in rows] if self.separator else rows

    def outcome(self, scores: Floats, truth: npt.NDArray[Any]) -> Any:
        return super().outcome(scores, truth > 0.5)

    def describe(self) -> str:
        return f"{len(self.names)} labels"


def _names(column: Column, separator: str) -> list[Label]:
    return sorted({label for value in column.values.to_pylist() for label in _split(value, separator)})


def _split(value: Any, separator: str) -> list[Any]:
    if not isinstance(value, str):
        return [label for label in value if label is not None] if isinstance(value, list) else [value]
    return [part.strip() for part in value.split(separator) if part.strip()] if separator else [value]


def _separator(cells: list[Any]) -> str:
    """The sign that most cells hold, a space only where no cell holds another: "San Marino|New York" are two labels."""
    texts = [value for value in cells if isinstance(value, str)]
    held = {sign: sum(sign in text for text in texts) for sign in SEPARATORS}
    return max(SEPARATORS, key=held.__getitem__) if any(held.values()) else SPACE


def _weights(positive: npt.NDArray[Any], rows: int, rule: str) -> list[float]:
    ratio = (rows - positive) / np.maximum(positive, 1)
    if rule == "auto":
        rule = "sqrt" if ratio.max() >= UNBALANCED else "none"
    power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[rule]
    return [float(w) for w in np.clip(ratio**power, 1 / HEAVIEST, HEAVIEST)]
