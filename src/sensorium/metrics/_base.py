"""Input of metrics, and functions that several metrics share.

A metric is a function `(outcome, weights) → values`: weights float64[r, n] hold r weightings of the n rows (ones for
the plain value, counts of a resample for a bootstrap), values float64[r] are NaN where the metric is not defined.
Its file states, as literals: `TASKS`, the tasks that it measures; `LOWER_IS_BETTER = True` if lower is better; and
`IN_POINTS = True` if sentences state its differences in percentage points.
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
    """Truth, scores and predictions of rows.

    Attributes:
        truth: int64[n] class (binary: 1 is the positive one); bool[n, k] labels; float64[n] value.
        scores: float64[n, k] probabilities of the classes or labels; float64[n] value.
        predicted: like `truth`.
        parts: for several targets, one part each; its metrics are called `target.metric`.

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
        """Return truth and score of the positive class, or of each class or label if there are more than two."""
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
    """Outcome of one of several targets.

    Attributes:
        task: registered name.
        main: the metric used for the mean over targets; 1 is perfect.
        known: bool[n]: whether the row has a label of this target.
        outcome: outcome of all rows; values of rows without a label are meaningless.
    """

    task: str
    main: str
    known: npt.NDArray[np.bool_]
    outcome: Outcome

    def take(self, rows: npt.NDArray[np.int64]) -> Part:
        return Part(self.task, self.main, self.known[rows], self.outcome.take(rows))


def metrics_of(task: str) -> list[str]:
    """Return the metrics that measure a task."""
    return [name for name, entry in metrics.entries.items() if task in entry.literal("TASKS", ())]


def lower_is_better(name: str) -> bool:
    return bool(metrics.entry(name.rpartition(".")[2]).literal("LOWER_IS_BETTER", False))


def is_in_points(name: str) -> bool:
    """Return whether sentences state differences of the metric in percentage points; False for unknown metrics."""
    known = metrics.entries.get(name.rpartition(".")[2])
    return known is not None and bool(known.literal("IN_POINTS", False))


def score(name: str, outcome: Outcome, weights: Floats | None = None) -> Floats:
    """Return the metric for each weighting; [1] for unweighted rows if no weights are given."""
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
    """Return the weighted mean: [n] → [r]."""
    return divide(weights @ values.astype(np.float64), weights.sum(1))


def divide(above: Floats, below: Floats) -> Floats:
    """Return above / below, NaN where below is 0."""
    return np.divide(above, below, out=np.full(np.broadcast_shapes(above.shape, below.shape), np.nan), where=below != 0)


def mean_of_defined(values: list[Floats]) -> Floats:
    """Return the mean over the defined values: [r] each → [r]."""
    table = np.stack(values)
    there = np.isfinite(table)
    return divide(np.where(there, table, 0).sum(0), there.sum(0).astype(np.float64))


def not_too_large(*values: Floats) -> list[Floats]:
    """Divide values by the largest if their squares could overflow; return the values and the divisor, [1]."""
    largest = max(float(np.abs(some).max(initial=0)) for some in values)
    scale = largest if largest > LARGE else 1.0
    return [*(some / scale for some in values), np.array([scale])]


@dataclass(frozen=True)
class Counts:
    """Return weighted counts per class or label, float64[r, k]: correctly predicted, predicted, true."""

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
        """Return F1 [r, k]; NaN for a class that neither occurs nor is predicted."""
        return divide(2 * self.right, self.predicted + self.true)


@dataclass(frozen=True)
class Ranking:
    """Return weighted positives and negatives at each distinct score, float64[r, g], lowest score first."""

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
