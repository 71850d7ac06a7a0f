"""Fit conformal predictors on rows that a model did not learn from, and choose their nonconformity scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.config import CALIBRATION_FOLDS
from sensorium.conformal._conformal import EVERY, Category, Conformal
from sensorium.conformal._distribution import Distribution
from sensorium.conformal._nonconformity import INTERVAL_METHODS, SET_METHODS, Method, Nonconformity
from sensorium.conformal._presence import Presence
from sensorium.conformal._spread import Spread
from sensorium.metrics import Outcome
from sensorium.registry import tasks
from sensorium.registry.traits import traits_of
from sensorium.split.cross_fit import cross_fit_folds
from sensorium.table import Floats, Rows
from sensorium.tasks import Value

LEVEL = 0.9  # coverage at which scores are compared
FEWEST = 4  # rows or groups of a category that has a distribution of its own: enough for a coverage of 80%
COMPARED = 50  # rows or groups from which on scores are compared; with fewer, the first one is used
MARGIN = 0.05  # share by which the regions of another score have to be smaller than those of the first one


@dataclass(frozen=True, eq=False)
class CalibrationRows:
    """Rows that calibrate the regions of one target.

    Attributes:
        task: registered name of its task.
        scores: the model's scores, float64[n, ...].
        truth: encoded labels.
        presence: modalities of the rows.
        groups: int64[n] group of each row; None if the rows are independent.
    """

    task: str
    scores: Floats
    truth: npt.NDArray[Any]
    presence: Presence
    groups: Rows | None

    def take(self, rows: Rows) -> CalibrationRows:
        """Return some of the rows."""
        groups = None if self.groups is None else self.groups[rows]
        return CalibrationRows(self.task, self.scores[rows], self.truth[rows], self.presence.take(rows), groups)

    @property
    def units(self) -> Rows:
        """Return int64[n]: the number of each row's group, or of the row, counted from 0."""
        return np.arange(len(self.truth)) if self.groups is None else np.unique(self.groups, return_inverse=True)[1]

    def fold_of_each(self, seed: int) -> Rows:
        """Return int64[n]: the fold of each row; rows of a group are in the same fold."""
        return cross_fit_folds(len(self.truth), self.groups, seed)


def fit_conformal(
    outcome: Outcome, task: str, presence: Presence, *, method: str = "auto", seed: int = 0
) -> dict[str, Conformal]:
    """Fit the conformal predictor of each target.

    Args:
        outcome: truth and scores of rows that the model did not learn from.
        task: registered name of the task.
        presence: modalities of these rows.
        method: a nonconformity score for the targets that it suits; `auto` compares those of classes by the mean size
            of their sets, and those of amounts by the mean interval score (Gneiting and Raftery 2007). `lac` and
            `absolute` are kept unless another one is better by `MARGIN`.
        seed: seed of the folds in which scores are compared.

    Returns:
        Target → its conformal predictor, with the key "" for a single target. Targets whose task has neither classes
        nor labels nor amounts, and those with fewer than `FEWEST` rows or groups, have none.
    """
    found = dict[str, Conformal]()
    for name, rows in _targets(outcome, task, presence):
        if methods_of(rows.task) and len(np.unique(rows.units)) >= FEWEST:
            found[name] = _fit(rows, method, seed)
    return found


def methods_of(task: str) -> list[Method]:
    """Return the nonconformity scores that suit a registered task, the usual one first."""
    traits = traits_of(task)
    if "one class" in traits:
        return [*SET_METHODS]
    if "class probabilities" in traits:
        return ["labels"]
    return [*INTERVAL_METHODS] if "an amount" in traits else []


def _targets(outcome: Outcome, task: str, presence: Presence) -> Iterator[tuple[str, CalibrationRows]]:
    if not outcome.parts:
        yield "", CalibrationRows(task, outcome.scores, outcome.truth, presence, outcome.groups)
    for name, part in outcome.parts.items():
        rows, own = outcome.of_target(name)
        yield name, CalibrationRows(part.task, own.scores, own.truth, presence.take(rows), own.groups)


def _fit(rows: CalibrationRows, method: str, seed: int) -> Conformal:
    """Fit the given score, or the one with the smallest sets or intervals if it does not suit the task."""
    methods = methods_of(rows.task)
    fitted = {each: fold for each in methods if (fold := _in_folds(rows, each, seed)) is not None}
    best = next((each for each in fitted if each == method), next(iter(fitted)))
    if method not in methods and len(fitted) > 1 and rows.units.max() + 1 >= COMPARED:
        costs = {each: _cost(rows, each, fold, seed) for each, fold in fitted.items()}
        costs[methods[0]] *= 1 - MARGIN
        best = min(costs, key=lambda each: costs[each])
    score = _score(rows, best)
    assert score is not None
    found = _distributions(rows, score, fitted[best])
    labels = rows.scores.shape[1] if score.has_sets else 0
    return Conformal.of(score, found, labels=labels, whole=_is_count(rows.task))


def _score(rows: CalibrationRows, method: Method) -> Nonconformity | None:
    """Return a nonconformity score with all that it learns from rows; None if there are too few of them."""
    if method != "normalized":
        return Nonconformity(method, ordered="ordered classes" in traits_of(rows.task))
    spread = Spread.fit(rows.scores, np.abs(rows.truth - rows.scores))
    return None if spread is None else Nonconformity(method, spread=spread)


def _in_folds(rows: CalibrationRows, method: Method, seed: int) -> Floats | None:
    """Return the nonconformity float64[n] of the truth of each row; what a score learns is learned from other folds."""
    if method != "normalized":
        score = _score(rows, method)
        return None if score is None else score.of_truth(rows.scores, rows.truth)
    folds, found = rows.fold_of_each(seed), np.zeros(len(rows.truth))
    for fold in range(CALIBRATION_FOLDS):
        own = np.flatnonzero(folds == fold)
        score = _score(rows.take(np.flatnonzero(folds != fold)), method)
        if score is None:
            return None
        found[own] = score.of_truth(rows.scores[own], rows.truth[own])
    return found


def _cost(rows: CalibrationRows, method: Method, fitted: Floats, seed: int) -> float:
    """Return the mean size of sets, or the mean interval score, each row with the limit of the other folds."""
    folds, total = rows.fold_of_each(seed), 0.0
    for fold in range(CALIBRATION_FOLDS):
        own, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        score = _score(rows.take(rest), method)
        assert score is not None
        groups = None if rows.groups is None else rows.groups[rest]
        limit = Distribution.of(fitted[rest], groups).limit(LEVEL)
        scores, truth = rows.scores[own], rows.truth[own]
        if score.has_sets:
            total += float((score.of_each(scores) <= limit).sum())
            continue
        low, high = score.intervals(scores, np.full(len(own), limit)).T
        missed = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
        total += float((high - low + 2 / (1 - LEVEL) * missed).sum())
    return total / len(rows.truth)


def _distributions(rows: CalibrationRows, score: Nonconformity, fitted: Floats) -> Mapping[Category, Distribution]:
    """Return the distribution of all rows, of each class or label, and of each subset of modalities that rows have."""
    found: dict[Category, Distribution] = {EVERY: Distribution.of(fitted, rows.groups)}

    def add(category: Category, scores: Floats, own: Rows) -> None:
        groups = None if rows.groups is None else rows.groups[own]
        if len(own if groups is None else np.unique(groups)) >= FEWEST:
            found[category] = Distribution.of(scores, groups)

    codes, subsets = rows.presence.subsets()
    for number, names in enumerate(subsets):
        own = np.flatnonzero(codes == number)
        add(("modalities", names), fitted[own], own)
    if score.has_sets:
        each = score.of_each(rows.scores)
        for number in range(each.shape[1]):
            own = np.flatnonzero(rows.truth[:, number] if rows.truth.ndim > 1 else rows.truth == number)
            add(("class", (str(number),)), each[own, number], own)
    return found


def _is_count(task: str) -> bool:
    """Return whether the labels of a registered task are counts."""
    kind = tasks.load(task)
    return issubclass(kind, Value) and kind.distribution == "poisson"
