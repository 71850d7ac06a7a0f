"""Binary classification: one of two classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from sensorium.config import DEFAULT_THRESHOLD
from sensorium.errors import SchemaError
from sensorium.findings import Guess
from sensorium.table import Column, Floats
from sensorium.tasks._class_weights import known_class_weights
from sensorium.tasks._classes import ANOTHER_SPLIT, check_classes, classes_of, count_labels, new_classes
from sensorium.tasks._classification import Classification

if TYPE_CHECKING:
    from torch import Tensor

TRAITS = ("class probabilities", "one class", "class logits")
SETTINGS = ("threshold",)


@dataclass(frozen=True)
class Binary(Classification):
    """Binary classification by cross-entropy on one logit, that of the positive class.

    Attributes:
        classes: the negative and the positive class, in natural order, with "yes" and "true" last.
        weights: weights of the two classes in the loss.
        threshold: probability of the positive class from which it is predicted.
    """

    watch: ClassVar[str] = "roc_auc"

    threshold: Annotated[float, Field(ge=0, le=1)] = field(default=DEFAULT_THRESHOLD, kw_only=True)

    def check(self) -> None:
        check_classes(self.classes, self.weights, 2, 2)

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if column.is_list or count_labels(column) != 2:
            return None
        return Guess(0.95, f"two different values: {' and '.join(map(repr, classes_of(column)))}")

    @classmethod
    def learn(cls, column: Column, class_weight: str) -> Self:
        classes = classes_of(column)
        if len(classes) != 2:
            found = "one class only" if len(classes) == 1 else f"{len(classes)} classes"
            raise SchemaError(
                f"the training rows have {found}", place=f"column {column.name!r}", rule="two", cure=ANOTHER_SPLIT
            )
        return cls.weighted(classes, column, class_weight)

    def extend(self, column: Column, class_weight: str) -> tuple[Self, list[int]]:
        """Update the weights to those of the new rows; the threshold is the default.

        Raises:
            SchemaError: there is a third label, but a binary model has one logit.
        """
        third = new_classes(column, self.classes, self.reading)
        if third:
            raise SchemaError(
                f"the model has two labels, and the table has another: {', '.join(map(repr, third[:5]))}",
                place=f"column {column.name!r}",
                rule=" or ".join(map(repr, self.classes)),
                cure="correct the labels, or fit a new model",
            )
        weights = known_class_weights(self.encode(column), self.classes, class_weight)
        return replace(self, weights=weights, threshold=DEFAULT_THRESHOLD), [0]

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        fields, arrays = super().state()
        if self.threshold == DEFAULT_THRESHOLD:
            del fields["threshold"]
        return fields, arrays

    @property
    def thresholds(self) -> list[float]:
        return [self.threshold]

    def with_thresholds(self, thresholds: Sequence[float]) -> Self:
        (threshold,) = thresholds
        return replace(self, threshold=float(threshold))

    @property
    def outputs(self) -> int:
        return 1

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        from torch.nn import functional

        weights = logits.new_tensor(self.weights)[target]
        return functional.binary_cross_entropy_with_logits(logits[:, 0], target.to(logits.dtype), weights)

    def scores(self, logits: npt.NDArray[np.floating[Any]]) -> Floats:
        positive = 0.5 * (1 + np.tanh(0.5 * logits[:, 0].astype(np.float64)))  # the logistic function, without overflow
        return np.stack([1 - positive, positive], 1)

    def predicted(self, scores: Floats) -> npt.NDArray[Any]:
        return (scores[:, 1] >= self.threshold).astype(np.int64)

    def describe(self) -> str:
        return f"{self.classes[0]!r} or {self.classes[1]!r} (the positive class)"
