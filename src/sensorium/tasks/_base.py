"""The contract that every task keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.errors import SchemaError
from sensorium.learned import Learned
from sensorium.metrics import Outcome
from sensorium.problems import Problem, shorten
from sensorium.schema import Guess
from sensorium.table import Column

if TYPE_CHECKING:
    from torch import Tensor

Floats: TypeAlias = npt.NDArray[np.float64]
Label: TypeAlias = str | int | float | bool
ANOTHER_SPLIT = "another split: --set split.stratify=true, or mend the split column"
UNBALANCED = 3.0  # largest class / smallest class from which `auto` weights classes


@dataclass(frozen=True)
class EncodedTarget:
    """Labels as the loss takes them.

    Attributes:
        values: [n, ...]; zeros where not known.
        known: bool[n].
        problems: labels that are there but can't be used.
    """

    values: npt.NDArray[Any]
    known: npt.NDArray[np.bool_]
    problems: list[Problem]


class Task(Learned, ABC):
    """A frozen dataclass whose fields are what it learnt of the labels.

    Class attributes:
        watch: registered metric for early stopping.
    """

    watch: ClassVar[str]

    @classmethod
    @abstractmethod
    def looks_like(cls, column: Column) -> Guess | None:
        """Is this a target of the task? The best claim wins."""

    @classmethod
    @abstractmethod
    def learn(cls, column: Column, class_weight: str) -> Self:
        """Learn the labels of the training rows."""

    def extend(self, column: Column, class_weight: str) -> tuple[Self, list[int]]:
        """Take in the labels of other training rows; what was learnt stays.

        Returns:
            The task, and for each of its logits so far the place among those that it has now.

        Raises:
            SchemaError: it can't take in another label.
        """
        return self, list(range(self.outputs))

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Number k of logits."""

    @abstractmethod
    def encode(self, column: Column) -> EncodedTarget: ...

    @abstractmethod
    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """(b, k) and the encoded target → a scalar."""

    @abstractmethod
    def scores(self, logits: npt.NDArray[np.float32]) -> Floats:
        """(n, k) logits → probabilities float64[n, classes], or values float64[n]."""

    @abstractmethod
    def prior(self, values: npt.NDArray[Any]) -> list[float]:
        """Encoded training labels → the scores of a row about which nothing is known."""

    @abstractmethod
    def predicted(self, scores: Floats) -> npt.NDArray[Any]:
        """Scores → class int64[n], labels bool[n, k], value float64[n]."""

    @abstractmethod
    def decode(self, predicted: npt.NDArray[Any]) -> Sequence[Any]:
        """Predicted → labels as the user wrote them."""

    @abstractmethod
    def describe(self) -> str:
        """What was learnt, in a few words for a person."""

    def findings(self, column: str) -> list[Problem]:
        """What was guessed, merged or left out of the target as a whole; each with `row=None`."""
        return []

    @property
    def labels(self) -> list[Label]:
        """Names of the columns of `scores`; empty for a value."""
        return []

    def answers(self, scores: Floats) -> dict[str, Any]:
        """Columns of a table of answers: `prediction`, and `probability_<label>` of each label."""
        probabilities = {f"probability_{label}": scores[:, k] for k, label in enumerate(self.labels)}
        return {"prediction": self.decode(self.predicted(scores)), **probabilities}

    def outcome(self, scores: Floats, truth: npt.NDArray[Any]) -> Outcome:
        """What the metrics are given."""
        return Outcome(truth, scores, self.predicted(scores))


def classes_of(column: Column) -> list[Label]:
    """The distinct labels, in their natural order; of two, the one that says "yes" last.

    Raises:
        SchemaError: the cells are lists or objects.
    """
    if pa.types.is_nested(column.data.type):
        raise SchemaError(
            f"the labels are of Arrow type {column.data.type}",
            place=f"column {column.name!r}",
            rule="one label a row",
            cure="--task multilabel where a row has several",
        )
    found = sorted(column.values.unique().to_pylist())
    if len(found) == 2 and str(found[0]).strip().lower() in ("yes", "true", "positive", "pos", "y", "t"):
        found.reverse()
    return found


def new_classes(column: Column, classes: Sequence[Label]) -> list[Label]:
    """The labels of a column that are none of the classes, in their natural order."""
    known = {spelling(label) for label in classes}
    return [label for label in classes_of(column) if spelling(label) not in known]


def encode_classes(column: Column, classes: Sequence[Label]) -> EncodedTarget:
    """int64[n] places in `classes`, matched by their spelling; a label that training didn't see is not known."""
    places = {spelling(label): place for place, label in enumerate(classes)}
    found = [None if value is None else places.get(spelling(value), -1) for value in column.data.to_pylist()]
    reason = "a label not seen in training: the row is not scored"
    problems = [
        Problem(row, column.name, reason, "", shorten(column.data[row].as_py()))
        for row, place in enumerate(found)
        if place == -1
    ]
    values = np.array([-1 if place is None else place for place in found], dtype=np.int64)
    return EncodedTarget(values.clip(0), values >= 0, problems)


def spelling(label: Label) -> str:
    """How labels are matched: 1 and 1.0 are one label, since a missing cell makes floats of a column's integers."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def is_whole(column: Column) -> bool:
    """Integers, or floats that all are whole (what pandas makes of integers beside missing cells)."""
    if not column.is_float:
        return column.is_integer
    values = column.values.to_numpy()
    return bool(np.isfinite(values).all() and (np.mod(values, 1) == 0).all())


def known_class_weights(column: Column, classes: Sequence[Label], rule: str) -> list[float]:
    """As `class_weights`, of the classes that a column has; 1 for the others, which no row of it is weighted by."""
    encoded = encode_classes(column, classes)
    counts = np.bincount(encoded.values[encoded.known], minlength=len(classes))
    weights = np.ones(len(classes))
    if counts.any():
        weights[counts > 0] = class_weights(counts[counts > 0], rule)
    return [float(weight) for weight in weights]


def class_weights(counts: npt.NDArray[np.int64], rule: str) -> list[float]:
    """One weight a class, their mean over the rows 1.

    `balanced` is inverse to a class's rows, `sqrt` to their square root; `auto` is `sqrt` where classes are unbalanced.
    """
    if rule == "auto":
        rule = "sqrt" if counts.max() >= UNBALANCED * counts.min() else "none"
    power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[rule]
    weights = np.maximum(counts, 1) ** -power
    return [float(w) for w in weights * counts.sum() / (weights * counts).sum()]
