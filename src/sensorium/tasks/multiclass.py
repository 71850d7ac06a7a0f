"""Multiclass classification: one of several classes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.errors import SchemaError
from sensorium.findings import Guess
from sensorium.modalities.number import Number
from sensorium.table import Column, Floats
from sensorium.tasks._class_weights import known_class_weights
from sensorium.tasks._classes import (
    ANOTHER_SPLIT,
    FEW,
    check_classes,
    classes_of,
    count_labels,
    encode_classes,
    new_classes,
)
from sensorium.tasks._classification import Classification, cross_entropy, softmax
from sensorium.tasks._unread_numbers import unread_numbers

SPELT = 0.6  # how sure text is of numbers, from which they may be amounts
INSTEAD = (
    "--task ordinal for ratings or grades, --task count for numbers of events, --task regression for other amounts"
)
ORDERED = "the classes have an order, which is not used; --task ordinal uses it"

if TYPE_CHECKING:
    from torch import Tensor
TRAITS = ("class probabilities", "one class", "class logits")


@dataclass(frozen=True)
class Multiclass(Classification):
    """Multiclass classification by cross-entropy over k classes.

    Attributes:
        classes: names in natural order; classes that a continued model learned later come last.
        weights: weights of the classes in the loss.
    """

    watch: ClassVar[str] = "accuracy"

    def check(self) -> None:
        check_classes(self.classes, self.weights, 2)

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        labels = count_labels(column)
        if column.is_list or labels < 3 or pa.types.is_temporal(column.data.type):
            return None
        reason = f"{labels} different values in {len(column.values):,} rows"
        if column.origin.order:
            return Guess(0.9, reason, ORDERED)
        if column.is_number:
            return _claim_numbers(column, labels, reason)
        if column.is_string and (numbers := Number.looks_like(column)) and numbers.confidence >= SPELT:
            caution = f"text that spells numbers is read as classes; {INSTEAD}"
            return Guess(0.8 if labels <= FEW else 0.5, reason, caution)
        if why := unread_numbers(column):
            return Guess(0.9, reason, f"read as classes: {why}")
        if column.distinct > 0.5 * len(column.values):
            return Guess(0.4, reason, f"{reason}: most labels occur once; check that this is the target")
        return Guess(0.9, reason)

    @classmethod
    def learn(cls, column: Column, class_weight: str) -> Self:
        classes = classes_of(column)
        if len(classes) < 2:
            raise SchemaError(
                "the training rows have one class only",
                place=f"column {column.name!r}",
                rule="at least two",
                cure=ANOTHER_SPLIT,
            )
        return cls.weighted(classes, column, class_weight)

    def extend(self, column: Column, class_weight: str) -> tuple[Self, list[int]]:
        """Append new classes to the known ones; the weights are those of the new rows."""
        classes = [*self.classes, *new_classes(column, self.classes, self.reading)]
        weights = known_class_weights(encode_classes(column, classes, self.reading), classes, class_weight)
        return replace(self, classes=classes, weights=weights), list(range(self.outputs))

    @property
    def outputs(self) -> int:
        return len(self.classes)

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(logits, target, self.weights)

    def scores(self, logits: npt.NDArray[np.floating[Any]]) -> Floats:
        return softmax(logits)

    def describe(self) -> str:
        shown = ", ".join(map(repr, self.classes[:5]))
        return f"{len(self.classes)} classes: {shown}{' …' if len(self.classes) > 5 else ''}"


def _claim_numbers(column: Column, labels: int, reason: str) -> Guess | None:
    """Claim columns with few different integers, or with numbers in several spellings (versions 1.1 and 1.10)."""
    if labels > FEW:
        return None
    if labels > column.distinct:
        return Guess(0.92, f"{reason}, some with the same value in several spellings")
    caution = f"{labels} whole numbers read as classes; {INSTEAD}"
    return Guess(0.8, reason, caution) if column.is_whole else None
