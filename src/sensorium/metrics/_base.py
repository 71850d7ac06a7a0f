"""Input of metrics, and functions that several metrics share.

A metric is a function `(outcome, weights) → values`: weights float64[r, n] hold r weightings of the n rows (ones for
the plain value, counts of a resample for a bootstrap), values float64[r] are NaN where the metric is not defined.
Its file states, as literals: `TASKS`, the tasks that it measures, or their traits; `LOWER_IS_BETTER = True` if lower is
better; `BEST` and `WORST`, its best and worst possible values, if there are any; `IN_POINTS = True` if sentences state
its differences in percentage points; and `ON_REQUEST = True` if it is computed only if it is named. For a better
interval, the file of a ratio of sums over rows has a function `trials` or `terms` (`metrics/_ratios.py`), and that of a
metric whose bias on few rows is known a function `bias(outcome)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.registry import metrics
from sensorium.registry.traits import suits
from sensorium.table import Floats, Rows

Metric: TypeAlias = Callable[["Outcome", Floats], Floats]
Trials: TypeAlias = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_] | None]
"""Which rows are correct, and which count; None for all."""
Terms: TypeAlias = tuple[Floats, Floats | None]
"""What each row adds to the numerator and to the denominator of a ratio; None for 1."""


@dataclass(frozen=True)
class Outcome:
    """Truth, scores and predictions of rows.

    Attributes:
        truth: int64[n] class (binary: 1 is the positive one); bool[n, k] labels; float64[n] value.
        scores: float64[n, k] probabilities of the classes or labels; float64[n] value.
        predicted: like `truth`.
        parts: for several targets, one part each; its metrics are called `target.metric`.
        groups: int64[n] group of each row, which the bootstrap resamples as a whole; None if the rows are independent.

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
    groups: Rows | None = None

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
        groups = None if self.groups is None else self.groups[rows]
        return Outcome(self.truth[rows], self.scores[rows], self.predicted[rows], parts, groups)

    def grouped(self, groups: Rows | None) -> Outcome:
        """Return the outcome with the groups of its rows."""
        return replace(self, groups=groups)

    def of_target(self, name: str) -> tuple[Rows, Outcome]:
        """Return the rows with a label of one of several targets, and its outcome on them, with their groups."""
        part = self.parts[name]
        rows = np.flatnonzero(part.known)
        return rows, part.outcome.grouped(self.groups).take(rows)

    @property
    def group_count(self) -> int | None:
        """Return the number of groups; None if the rows are independent."""
        return None if self.groups is None else len(np.unique(self.groups))


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
    """Return all metrics that measure a task."""
    return [name for name, entry in metrics.entries.items() if (named := entry.literal("TASKS")) and suits(named, task)]


def default_metrics(task: str, *also: str) -> list[str]:
    """Return the metrics of a task that are computed without request, and named ones, in alphabetical order.

    >>> from sensorium.metrics import default_metrics
    >>> default_metrics("regression")
    ['mae', 'median_absolute_error', 'r2', 'rmse', 'spearman']
    >>> default_metrics("regression", "mape")
    ['mae', 'mape', 'median_absolute_error', 'r2', 'rmse', 'spearman']
    """
    usual = [name for name in metrics_of(task) if not metrics.entry(name).literal("ON_REQUEST", False)]
    return sorted({*usual, *also})


def lower_is_better(name: str) -> bool:
    return bool(metrics.entry(name.rpartition(".")[2]).literal("LOWER_IS_BETTER", False))


def direction(name: str) -> float:
    """Return 1.0 if larger values of the metric are better, −1.0 if smaller ones are."""
    return -1.0 if lower_is_better(name) else 1.0


def rank_value(name: str, value: float | None) -> float:
    """Return a value of the metric as a sort key: larger is better, and undefined values (NaN, None) are last.

    >>> from sensorium.metrics import rank_value
    >>> rank_value("mcc", -0.2), rank_value("mcc", float("nan")), rank_value("rmse", 3.0)
    (-0.2, -inf, -3.0)
    """
    return direction(name) * value if value is not None and math.isfinite(value) else -math.inf


def best_value(name: str) -> float | None:
    """Return the best possible value of the metric; None if its file states none.

    >>> from sensorium.metrics import best_value
    >>> best_value("accuracy"), best_value("price.rmse")
    (1.0, 0.0)
    """
    best = metrics.entry(name.rpartition(".")[2]).literal("BEST")
    return None if best is None else float(best)


def worst_value(name: str) -> float | None:
    """Return the worst possible value of the metric; None if its file states none.

    >>> from sensorium.metrics import worst_value
    >>> worst_value("mcc"), worst_value("price.rmse")
    (-1.0, None)
    """
    worst = metrics.entry(name.rpartition(".")[2]).literal("WORST")
    return None if worst is None else float(worst)


def is_in_points(name: str) -> bool:
    """Return whether sentences state differences of the metric in percentage points; False for unknown metrics."""
    known = metrics.entries.get(name.rpartition(".")[2])
    return known is not None and bool(known.literal("IN_POINTS", False))


def trials_of(name: str, outcome: Outcome) -> Trials | None:
    """Return which rows are correct and which count, for a metric that is a proportion of rows; None for others.

    Of one of several targets, only rows that have a label of it count.
    """
    target, find = _function("trials", name)
    if find is None or not target:
        return None if find is None else find(outcome)
    part = outcome.parts[target]
    right, counted = find(part.outcome)
    return right, part.known if counted is None else counted & part.known


def terms_of(name: str, outcome: Outcome) -> tuple[Floats, Floats, Callable[[float], float]] | None:
    """Return numerators and denominators of the rows, and the function of their ratio, for a metric that has them.

    Of one of several targets, rows that have no label of it add 0 to both.
    """
    target, find = _function("terms", name)
    known = outcome.parts[target].known if target else np.ones(len(outcome), bool)
    if find is None or not known.any():
        return None
    sums = np.zeros((2, len(outcome)))
    with np.errstate(over="ignore", invalid="ignore"):  # squares of huge amounts
        above, below = find(outcome.parts[target].outcome.take(np.flatnonzero(known)) if target else outcome)
    sums[:, known] = above, np.ones(len(above)) if below is None else below
    return sums[0], sums[1], _function("of_ratio", name)[1] or float


def bias_of(name: str, outcome: Outcome) -> tuple[float, float] | None:
    """Return the bias of a metric that estimates it itself, at least and at most; None for others."""
    target, find = _function("bias", name)
    if find is None:
        return None
    least, most = find(outcome.of_target(target)[1] if target else outcome)
    return float(least), float(most)


def _function(kind: str, name: str) -> tuple[str, Callable[..., Any] | None]:
    """Return the target that a metric names, and a function of the metric's file; None if it has none."""
    target, _, plain = name.rpartition(".")
    return target, getattr(import_module(metrics.entry(plain).module), kind, None)


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
