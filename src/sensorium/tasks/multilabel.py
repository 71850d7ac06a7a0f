"""Multilabel classification: any number of labels per row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field, NonNegativeFloat

from sensorium.config import DEFAULT_THRESHOLD
from sensorium.errors import SchemaError
from sensorium.findings import Guess, Problem, shorten
from sensorium.labels import ONE_LABEL, UNSEEN, LabelReading, Names, bare, case_twins, twins_in_words
from sensorium.table import Column, Floats
from sensorium.tasks._base import EncodedTarget, Label, Task, Temperature, temper
from sensorium.tasks._class_weights import weight_power
from sensorium.tasks._classes import (
    FOLD_CASE,
    IN_ANOTHER_CASE,
    UNBALANCED,
    check_classes,
    in_another_case,
    sorted_labels,
    unreadable_lists,
)
from sensorium.tasks._pool import pool

if TYPE_CHECKING:
    from torch import Tensor

SEPARATORS = ("|", ";", ",")
SPACE = " "
NOT_SEEN = "a label not seen in training: left out"
LOOKED_AT = 200  # lists
HEAVIEST = 10.0  # largest weight of a rare label's positives
TRAITS = ("class probabilities", "class logits")
SETTINGS = ("threshold",)


@dataclass(frozen=True)
class Multilabel(Task):
    """Multilabel classification by binary cross-entropy over k labels, each decided by itself.

    Attributes:
        names: labels in natural order; labels that a continued model learned later come last.
        separator: separator of the labels in a text cell; empty if cells are lists.
        weights: weight of each label's positive rows in the loss.
        chosen_thresholds: probability of each label from which it is predicted; empty for 0.5 of every label.
    """

    watch: ClassVar[str] = "average_precision"

    names: list[Label]
    separator: str
    weights: list[NonNegativeFloat]
    chosen_thresholds: list[Annotated[float, Field(ge=0, le=1)]] = field(default_factory=list, kw_only=True)

    def check(self) -> None:
        check_classes(self.names, self.weights, 1)
        if self.chosen_thresholds and len(self.chosen_thresholds) != len(self.names):
            raise ValueError(f"{len(self.chosen_thresholds)} thresholds for {len(self.names)} labels")

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        fields, arrays = super().state()
        if not self.chosen_thresholds:
            del fields["chosen_thresholds"]
        return fields, arrays

    @property
    def thresholds(self) -> list[float]:
        return self.chosen_thresholds or [DEFAULT_THRESHOLD] * len(self.names)

    def with_thresholds(self, thresholds: Sequence[float]) -> Self:
        values = [float(value) for value in thresholds]
        assert len(values) == len(self.names), "one threshold for each label"
        return replace(self, chosen_thresholds=values if any(v != DEFAULT_THRESHOLD for v in values) else [])

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if not column.is_list:
            return None
        _check_names([name for cell in column.sample(LOOKED_AT) for name in cell], column.name)
        return Guess(0.95, "cells are lists")

    @classmethod
    def learn(cls, column: Column, class_weight: str, *, fold_case: bool = False) -> Self:
        """Learn the labels of the training rows.

        Args:
            column: training rows.
            class_weight: rule for the weights of each label's positive rows.
            fold_case: whether labels that differ only in case are merged, in the most frequent spelling.
        """
        separator = "" if column.is_list else _separator(column.sample(500))
        names = _names(column, separator, str.casefold if fold_case else str)
        if not names:
            raise SchemaError("no training row has a label", place=f"column {column.name!r}")
        _check_names(names, column.name)
        task = cls(names, separator, [1.0] * len(names), reading=LabelReading(fold_case=fold_case))
        return task._weighted(column, class_weight)

    def extend(self, column: Column, class_weight: str) -> tuple[Self, list[int]]:
        """Append new labels to the known ones; the weights are those of the new rows, the thresholds the default."""
        labels = self.reading.apply(column)
        found = _names(labels, self.separator, str.casefold if self.reading.fold_case else str)
        places = self._places(found, column)
        names = [*self.names, *(name for name, place in zip(found, places, strict=True) if place == UNSEEN)]
        extended = replace(self, names=names, weights=[1.0] * len(names), chosen_thresholds=[])
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
        labels = self.reading.apply(column)
        values, problems = np.zeros((len(column), len(self.names)), np.float32), unreadable_lists(column, labels)
        cells = [[] if cell is None else _split(cell, self.separator) for cell in labels.data.to_pylist()]
        rows = np.repeat(np.arange(len(cells)), [len(cell) for cell in cells])
        flat = [label for cell in cells for label in cell]
        places = self._places(flat, column)
        values[rows[places >= 0], places[places >= 0]] = 1
        cased = in_another_case(_as_column(flat, column), self.names)
        for at in np.flatnonzero(places < 0):
            reason, cure = (IN_ANOTHER_CASE.format("left out"), FOLD_CASE) if cased[at] else (NOT_SEEN, "")
            problems.append(Problem(int(rows[at]), column.name, reason, cure, shorten(flat[at])))
        return EncodedTarget(values, labels.present, problems)

    def _places(self, labels: list[Label], column: Column) -> npt.NDArray[np.int64]:
        """Return int64[n]: the index of each label among those learned, or a negative code if it has none."""
        return Names(self.names, self.reading.fold_case).find(_as_column(labels, column))

    def findings(self, column: str) -> list[Problem]:
        twins = {} if self.reading.fold_case else case_twins({name: 1 for name in self.names if isinstance(name, str)})
        told = [Problem(None, column, twins_in_words(twins, "labels", None), ONE_LABEL)] if twins else []
        return [*super().findings(column), *told]

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        from torch.nn import functional

        return functional.binary_cross_entropy_with_logits(logits, target, pos_weight=logits.new_tensor(self.weights))

    def scores(self, logits: npt.NDArray[np.floating[Any]]) -> Floats:
        return 0.5 * (1 + np.tanh(0.5 * logits.astype(np.float64)))

    def tempered(self, scores: Floats, temperature: Temperature) -> Floats:
        """Divide the log-probabilities of each label and of its absence by a temperature."""
        assert isinstance(temperature, float | int), "one target has one temperature"
        if temperature == 1:
            return scores
        return temper(np.stack([1 - scores, scores], -1), float(temperature))[..., 1]

    def pooled(self, scores: Sequence[Floats], weights: Sequence[float | Floats], prior: Sequence[float]) -> Floats:
        """Combine the probabilities of each label by itself (see `Task.pooled`)."""
        both = [np.stack([1 - own, own], -1) for own in (*scores, np.asarray(prior, np.float64))]
        return np.asarray(pool(both[:-1], weights, both[-1])[..., 1])

    def prior(self, values: npt.NDArray[Any]) -> list[float]:
        return [float(share) for share in values.mean(0)]

    def predicted(self, scores: Floats) -> npt.NDArray[Any]:
        return scores >= np.array(self.thresholds)

    def decode(self, predicted: npt.NDArray[Any]) -> Sequence[Any]:
        rows = [[self.names[place] for place in np.flatnonzero(row)] for row in predicted]
        return [self.separator.join(map(str, row)) for row in rows] if self.separator else rows

    def answers(self, scores: Floats) -> dict[str, Any]:
        found = super().answers(scores)
        if self.separator:
            return found
        kind = pa.list_(pa.array(self.names).type)  # also if no row has a label
        return found | {"prediction": pa.array(found["prediction"], kind)}

    def outcome(self, scores: Floats, truth: npt.NDArray[Any]) -> Any:
        return super().outcome(scores, truth > 0.5)

    def describe(self) -> str:
        return f"{len(self.names)} labels"


def _as_column(labels: list[Label], target: Column) -> Column:
    array = pa.array(labels) if labels else pa.array([], pa.string())
    return Column(target.name, array, target.files)


def _names(column: Column, separator: str, fold: Callable[[str], str]) -> list[Label]:
    """Return the different labels; of spellings that `fold` merges, the most frequent one."""
    counts = Counter(label for value in column.values.to_pylist() for label in _split(value, separator))
    usual: dict[Any, Label] = {}
    for label in sorted_labels(list(counts)):
        key = fold(bare(label)) if isinstance(label, str) else label
        if key not in usual or counts[label] > counts[usual[key]]:
            usual[key] = label
    return sorted_labels(list(usual.values()))


def _check_names(names: list[Label], column: str) -> None:
    """Raise an error for lists of decimal numbers, which are not sets of labels.

    Raises:
        SchemaError: the lists hold decimal numbers.
    """
    odd = [name for name in names if isinstance(name, float) and not name.is_integer()]
    if odd:
        raise SchemaError(
            f"the lists of the target contain decimal numbers such as {odd[0]!r}",
            place=f"column {column!r}",
            rule="lists of labels, or vectors of 0 and 1",
            cure="for several amounts, make a column for each, and give each with --target (Python: target=[…])",
        )


def _split(value: Any, separator: str) -> list[Any]:
    if not isinstance(value, str):
        return [label for label in value if label is not None] if isinstance(value, list) else [value]
    return [bare(part) for part in value.split(separator) if part.strip()] if separator else [value]


def _separator(cells: list[Any]) -> str:
    """Return the separator that most cells contain, a space only if no cell has another ("San Marino|New York")."""
    texts = [value for value in cells if isinstance(value, str)]
    held = {sign: sum(sign in text for text in texts) for sign in SEPARATORS}
    return max(SEPARATORS, key=held.__getitem__) if any(held.values()) else SPACE


def _weights(positive: npt.NDArray[Any], rows: int, rule: str) -> list[float]:
    ratio = (rows - positive) / np.maximum(positive, 1)
    power = weight_power(rule, unbalanced=bool(ratio.max() >= UNBALANCED))
    return [float(w) for w in np.clip(ratio**power, 1 / HEAVIEST, HEAVIEST)]
