"""What a metric is given, and what several share.

A metric is a function `(outcome, weights) → values`: weights float64[r, n] hold r weightings of the n rows (ones for
the plain value, counts of a resample for a bootstrap), values float64[r] are NaN where the metric is not defined.
Its file says, as literals: `TASKS`, those that it measures, and `LOWER_IS_BETTER = True` where that is so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.registry import metrics

Floats: TypeAlias = npt.NDArray[np.float64]
LARGE = 1e100  # numbers beyond it have squares that may be infinite
Metric: TypeAlias = Callable[["Outcome", Floats], Floats]


@dataclass(frozen=True)
class Outcome:
    """Truth and answer, row by row.

    Attributes:
        truth: int64[n] class (binary: 1 is the positive one); bool[n, k] labels; float64[n] value.
        scores: float64[n, k] probabilities of the classes or labels; float64[n] value.
        predicted: like `truth`.
        parts: of several targets, each by itself; its metrics are called `target.metric`.

    Example:
        >>> from sensorium.metrics import Outcome, score
        >>> scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
        >>> outcome = Outcome(truth=np.array([0, 1, 1, 1]), scores=scores, predicted=scores.argmax(1))
        >>> score("accuracy", outcome)
        array([0.75])
        >>> score("accuracy", outcome, np.array([[1.0, 1.0, 0.0, 1.0], [0.0, 0.0, 2.0, 0.0]]))
        array([1., 0.])
    """

    truth: npt.NDArray[Any]
    scores: Floats
    predicted: npt.NDArray[Any]
    parts: Mapping[str, Part] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def is_multilabel(self) -> bool:
        return self.truth.ndim == 2

    def one_against_rest(self) -> Iterator[tuple[npt.NDArray[np.bool_], Floats]]:
        """Truth and score of the positive class; of each class or label where there are more than two."""
        if self.is_multilabel:
            yield from zip(self.truth.T, self.scores.T, strict=True)
        elif self.scores.shape[1] == 2:
            yield self.truth == 1, self.scores[:, 1]
        else:
            for k, score_of_class in enumerate(self.scores.T):
                yield self.truth == k, score_of_class

    def take(self, rows: npt.NDArray[np.int64]) -> Outcome:
        parts = {name: part.take(rows) for name, part in self.parts.items()}
        return Outcome(self.truth[rows], self.scores[rows], self.predicted[rows], parts)


@dataclass(frozen=True)
class Part:
    """One of several targets.

    Attributes:
        task: registered name.
        main: the metric by which it counts beside the others; 1 is perfect.
        known: bool[n]: the row has a label of this target.
        outcome: of all rows; what it holds of the others means nothing.
    """

    task: str
    main: str
    known: npt.NDArray[np.bool_]
    outcome: Outcome

    def take(self, rows: npt.NDArray[np.int64]) -> Part:
        return Part(self.task, self.main, self.known[rows], self.outcome.take(rows))


def metrics_of(task: str) -> list[str]:
    """The metrics that measure a task."""
    return [name for name, entry in metrics.entries.items() if task in entry.literal("TASKS", ())]


def lower_is_better(name: str) -> bool:
    return bool(metrics.entry(name.rpartition(".")[2]).literal("LOWER_IS_BETTER", False))


def score(name: str, outcome: Outcome, weights: Floats | None = None) -> Floats:
    """The metric for each weighting; of the rows as they are, [1], if no weights are given."""
    weights = np.ones((1, len(outcome))) if weights is None else weights
    target, _, plain = name.rpartition(".")
    if target:
        part = outcome.parts[target]
        rows = np.flatnonzero(part.known)
        if not len(rows):
            return np.full(len(weights), np.nan)
        return score(plain, part.outcome.take(rows), weights[:, rows])
    metric: Metric = metrics.load(name)
    return metric(outcome, weights) if len(outcome) else np.full(len(weights), np.nan)


def mean_of_rows(values: npt.NDArray[Any], weights: Floats) -> Floats:
    """[n] → [r]: the weighted mean."""
    return divide(weights @ values.astype(np.float64), weights.sum(1))


def divide(above: Floats, below: Floats) -> Floats:
    """Above / below, NaN where below is 0."""
    return np.divide(above, below, out=np.full(np.broadcast_shapes(above.shape, below.shape), np.nan), where=below != 0)


def mean_of_defined(values: list[Floats]) -> Floats:
    """[r] each → [r]: the mean over those that are defined."""
    table = np.stack(values)
    there = np.isfinite(table)
    return divide(np.where(there, table, 0).sum(0), there.sum(0).astype(np.float64))


def not_too_large(*values: Floats) -> list[Floats]:
    """The values, all divided by the largest if their squares might be no numbers any more; and by what, [1]."""
    largest = max(float(np.abs(some).max(initial=0)) for some in values)
    scale = largest if largest > LARGE else 1.0
    return [*(some / scale for some in values), np.array([scale])]


@dataclass(frozen=True)
class Counts:
    """Weighted counts per class or label, float64[r, k]: rightly predicted, predicted, true."""

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
        """[r, k]; NaN for a class that is neither there nor predicted."""
        return divide(2 * self.right, self.predicted + self.true)


@dataclass(frozen=True)
class Ranking:
    """Weighted positives and negatives at each distinct score, float64[r, g], the lowest score first."""

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
