"""Ordinal classification: one of several classes that have an order, such as 1 to 5 stars."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from sensorium.errors import SchemaError
from sensorium.findings import Problem
from sensorium.table import Column, Floats
from sensorium.tasks._class_weights import known_class_weights
from sensorium.tasks._classes import ANOTHER_SPLIT, check_classes, new_classes
from sensorium.tasks._classification import Classification, cross_entropy, softmax
from sensorium.tasks._order import Order, about_absent, ordered_classes

if TYPE_CHECKING:
    from torch import Tensor

OF_STEP = 0.3  # factor of the outputs that differ between steps; `dev/log.md` compares it with 0 and 1
SETTINGS = ("table.order",)
TRAITS = ("class probabilities", "one class", "ordered classes")


@dataclass(frozen=True)
class Ordinal(Classification):
    """Ordinal classification by adjacent-category logits (Goodman 1983; Agresti 2010, chapter 4).

    Of the k outputs z of a network, the first is shared by all steps from one class to the next:

        log(P(y = j + 1) / P(y = j)) = z_0 + 0.3 · z_j    for j = 1 … k − 1

    So one direction moves a row up or down the whole scale, and the other outputs, which learn more slowly, place the
    steps. The probabilities sum to 1, and dividing the outputs by a temperature has the same effect as for other
    classes. The prediction is the median of the distribution, which minimizes the expected absolute error in ranks; it
    is often, but not always, the most probable class.

    Attributes:
        classes: the labels, the lowest first.
        weights: weights of the classes in the loss.
        absent: labels of the order that no training row has.
    """

    watch: ClassVar[str] = "quadratic_weighted_kappa"

    absent: list[str] = field(default_factory=list)

    def check(self) -> None:
        check_classes(self.classes, self.weights, 2)

    @classmethod
    def learn(cls, column: Column, class_weight: str, *, order: Order | None = None, fold_case: bool = False) -> Self:
        """Learn the classes of the training rows and their order.

        Args:
            column: training rows.
            class_weight: rule for the weights of the classes.
            order: target → its labels, the lowest first. Without it, the order is that of an ordered categorical
                column, or of numbers.
            fold_case: whether labels that differ only in case are the same.

        Raises:
            SchemaError: the order is unknown or lacks a label, or there is one class only.
        """
        classes, absent = ordered_classes(column, order or {}, fold_case=fold_case)
        if len(classes) < 2:
            place = f"column {column.name!r}"
            raise SchemaError(
                "the training rows have one class only", place=place, rule="at least two", cure=ANOTHER_SPLIT
            )
        return replace(cls.weighted(classes, column, class_weight), absent=absent)

    def extend(self, column: Column, class_weight: str) -> tuple[Self, list[int]]:
        """Update the weights to those of the new rows.

        Raises:
            SchemaError: there is a label whose place among the classes is unknown.
        """
        unknown = new_classes(column, self.classes, self.reading)
        if unknown:
            raise SchemaError(
                f"the table has labels that the model does not know: {', '.join(map(repr, unknown[:5]))}",
                place=f"column {column.name!r}",
                rule=f"one of the ordered classes {', '.join(map(repr, self.classes))}",
                cure="correct the labels, or fit a new model",
            )
        weights = known_class_weights(self.encode(column), self.classes, class_weight)
        return replace(self, weights=weights), list(range(self.outputs))

    @property
    def outputs(self) -> int:
        return len(self.classes)

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        from torch.nn import functional

        steps = logits[:, :1] + OF_STEP * logits[:, 1:]
        return cross_entropy(functional.pad(steps.cumsum(1), (1, 0)), target, self.weights)

    def scores(self, logits: npt.NDArray[np.floating[Any]]) -> Floats:
        steps = logits[:, :1].astype(np.float64) + OF_STEP * logits[:, 1:]
        return softmax(np.pad(steps.cumsum(1), ((0, 0), (1, 0))))

    def predicted(self, scores: Floats) -> npt.NDArray[Any]:
        """Return the median class int64[n]: the lowest class up to which at least half of the probability lies."""
        return np.asarray((scores.cumsum(1)[:, :-1] < 0.5).sum(1), np.int64)

    def findings(self, column: str) -> list[Problem]:
        return [*super().findings(column), *about_absent(self.absent, column)]

    def describe(self) -> str:
        shown = " < ".join(map(repr, self.classes[:5]))
        return f"{len(self.classes)} ordered classes: {shown}{' …' if len(self.classes) > 5 else ''}"
