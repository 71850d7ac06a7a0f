"""Metrics of each class or label, against the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sensorium.evaluate.intervals import MetricInterval
from sensorium.evaluate.scores import resamples_of
from sensorium.files.figures import finite
from sensorium.findings import count
from sensorium.metrics import Outcome, score

METRICS = ("precision", "recall", "specificity", "f1", "roc_auc", "average_precision")


@dataclass(frozen=True)
class ClassScores:
    """Metrics of one class or label against the rest.

    Attributes:
        label: the class, as in the table.
        target: the target, if there are several; else None.
        rows: number of rows that have the class (the support).
        metrics: name → value; NaN if it is not defined, such as the recall of a class that does not occur.
        intervals: name → 95% interval.
    """

    label: Any
    target: str | None
    rows: int
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]

    @property
    def name(self) -> str:
        """The class in words: `drama`; with several targets, `genre=drama`."""
        return str(self.label) if self.target is None else f"{self.target}={self.label}"

    def __str__(self) -> str:
        """Show the class with its rows and metrics in one line."""
        figures = (f"{name} {value:.4g} ({low:.4g} to {high:.4g})" for name, value, (low, high) in self._each())
        return f"{self.name}, {count(self.rows, 'row')}: {', '.join(figures)}"

    def _each(self) -> Iterator[tuple[str, float, tuple[float, float]]]:
        return ((name, value, self.intervals[name]) for name, value in self.metrics.items())

    def to_json(self) -> dict[str, Any]:
        """Return `{"class", "rows", "metrics", "intervals"}`, and `"target"` if there are several."""
        return {
            **({} if self.target is None else {"target": self.target}),
            "class": self.label,
            "rows": self.rows,
            "metrics": {name: finite(value) for name, value in self.metrics.items()},
            "intervals": {name: [finite(low), finite(high)] for name, (low, high) in self.intervals.items()},
        }


def score_classes(
    outcome: Outcome, labels: Sequence[Any], parts: Mapping[str, Sequence[Any]], seed: int = 0
) -> list[ClassScores]:
    """Compute metrics of each class with their intervals, from the same resamples.

    Args:
        outcome: of all rows.
        labels: the classes, in the order of the columns of the scores.
        parts: the same for each of several targets; empty for targets without classes.
        seed: random seed of the bootstrap.
    """
    if not outcome.parts:
        return _score_each(outcome, labels, None, seed)
    found: list[ClassScores] = []
    for target in outcome.parts:
        if parts[target]:
            found += _score_each(outcome.of_target(target)[1], parts[target], target, seed)
    return found


def _score_each(outcome: Outcome, labels: Sequence[Any], target: str | None, seed: int) -> list[ClassScores]:
    if not len(outcome):
        return []
    classes = [_against_rest(outcome, place) for place in range(len(labels))]
    intervals = [{name: MetricInterval(name, [own]) for name in METRICS} for own in classes]
    for weights in resamples_of(outcome, seed):
        for own, each in zip(classes, intervals, strict=True):
            for name, interval in each.items():
                interval.add(weights, score(name, own, weights))
    found = []
    for label, own, each in zip(labels, classes, intervals, strict=True):
        values = {name: float(score(name, own)[0]) for name in METRICS}
        ends = {name: each[name].ends(value) for name, value in values.items()}
        found.append(ClassScores(label, target, int(own.truth.sum()), values, ends))
    return found


def _against_rest(outcome: Outcome, place: int) -> Outcome:
    """Return the outcome of two classes: the one at a place, and the rest."""
    own = outcome.scores[:, place]
    multilabel = outcome.is_multilabel
    truth = outcome.truth[:, place] if multilabel else outcome.truth == place
    predicted = outcome.predicted[:, place] if multilabel else outcome.predicted == place
    scores = np.stack([1 - own, own], 1)
    return Outcome(truth.astype(np.int64), scores, predicted.astype(np.int64), groups=outcome.groups)
