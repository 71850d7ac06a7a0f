"""ROC, precision–recall and reliability curves with 95% bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sensorium.evaluate.bootstrap import LEVEL
from sensorium.evaluate.proportions import proportion
from sensorium.evaluate.scores import resamples_of
from sensorium.files.figures import finite
from sensorium.metrics import Outcome
from sensorium.table import Floats, Rows, Truths

MAX_POINTS = 200  # of a curve
MAX_LABELS = 10  # with curves: the most frequent ones
BINS = 15  # of a reliability curve, at most
BIN_ROWS = 10  # of a bin, at least
TOP_CLASS = "predicted class"


@dataclass(frozen=True)
class Curve:
    """Curve of one class or label.

    Attributes:
        label: the class or label; `TOP_CLASS` for the class that is predicted.
        x: false positive rate of a ROC curve, recall, or mean predicted probability of a bin.
        y: true positive rate, precision, or frequency in the bin.
        low, high: 95% band of y at each x.
        thresholds: probability from which the class is predicted at each point; NaN if it is predicted in no row. Empty
            for a reliability curve.
        rows: number of rows of each bin of a reliability curve; empty for other curves.
    """

    label: Any
    x: Floats
    y: Floats
    low: Floats
    high: Floats
    thresholds: Floats
    rows: Rows

    def to_json(self, x: str, y: str) -> dict[str, Any]:
        """Return the curve with these names of the axes; undefined values are null."""
        columns = {x: self.x, y: self.y, "low": self.low, "high": self.high, "threshold": self.thresholds}
        found = {name: [finite(float(value)) for value in values] for name, values in columns.items() if len(values)}
        return {"label": self.label, **found, **({"rows": self.rows.tolist()} if len(self.rows) else {})}


@dataclass(frozen=True)
class Curves:
    """Curves of one target.

    Attributes:
        roc, precision_recall: one curve for two classes (of the positive one), else one for each class against the
            others, or for each label. Classes that all rows have, or none, have no curve.
        reliability: of the positive class, of the predicted class if there are more than two, or of each label.
        left_out: number of less frequent classes or labels without curves.
    """

    roc: list[Curve]
    precision_recall: list[Curve]
    reliability: list[Curve]
    left_out: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return `{"roc", "precision_recall", "reliability"}`, and `"left_out"` if there are many labels."""
        return {
            "roc": [curve.to_json("false_positive_rate", "true_positive_rate") for curve in self.roc],
            "precision_recall": [curve.to_json("recall", "precision") for curve in self.precision_recall],
            "reliability": [curve.to_json("mean_predicted", "frequency") for curve in self.reliability],
            **({"left_out": self.left_out} if self.left_out else {}),
        }


def make_curves(outcome: Outcome, labels: Sequence[Any], seed: int = 0) -> Curves:
    """Compute the curves of an outcome.

    Bands of ROC and precision–recall curves are those of y at a fixed x over resamples of rows, or of groups where the
    outcome has them (vertical averaging, Fawcett 2006); each point has its own 95%. Those of reliability curves are
    Wilson intervals of the frequency in each bin of equally many rows.

    Args:
        outcome: an outcome of one target with classes or labels.
        labels: the classes or labels of its task.
        seed: random seed of the resamples.
    """
    columns, cut = most_frequent(outcome, labels)
    rankings = [_Ranking.of(label, truth, scores) for label, truth, scores in columns]
    for weights in resamples_of(outcome, seed) if rankings else ():
        for ranking in rankings:
            ranking.resample(weights)
    top = not outcome.is_multilabel and outcome.scores.shape[1] > 2
    return Curves(
        [ranking.roc() for ranking in rankings],
        [ranking.precision_recall() for ranking in rankings],
        [_reliability_of_top(outcome)] if top else [_reliability(*column, outcome.groups) for column in columns],
        cut,
    )


def varied_labels(outcome: Outcome, labels: Sequence[Any]) -> list[tuple[Any, Truths, Floats]]:
    """Return label, truth and scores of the labels that some rows have and others lack, in their order."""
    columns = list(outcome.one_against_rest())
    names = labels[1:] if len(columns) == 1 and not outcome.is_multilabel else labels
    return [(name, *own) for name, own in zip(names, columns, strict=True) if 0 < own[0].mean() < 1]


def most_frequent(outcome: Outcome, labels: Sequence[Any]) -> tuple[list[tuple[Any, Truths, Floats]], int]:
    """Return up to `MAX_LABELS` of `varied_labels`, the most frequent ones, and the number of the others."""
    varied = varied_labels(outcome, labels)
    order = np.argsort([-own[1].sum() for own in varied], kind="stable")[:MAX_LABELS]
    return [varied[place] for place in np.sort(order)], max(0, len(varied) - MAX_LABELS)


@dataclass(frozen=True, eq=False)
class _Ranking:
    """True and false positives of a label at falling thresholds, on all rows and on resamples.

    Attributes:
        label: the label.
        truth: whether the rows have it, sorted by falling score.
        order: the rows in this order.
        starts: index of the first row of each level; a level has one or several scores.
        thresholds: float64[g] the lowest score of each level.
        drawn: resampled rates at the levels.
    """

    label: Any
    truth: Truths
    order: Rows
    starts: Rows
    thresholds: Floats
    drawn: list[tuple[Floats, Floats]]

    @classmethod
    def of(cls, label: Any, truth: Truths, scores: Floats) -> _Ranking:
        order = np.argsort(-scores, kind="stable")
        ordered, hits = scores[order], truth[order]
        ends = np.flatnonzero(np.diff(ordered, append=-np.inf))
        if len(ends) >= MAX_POINTS:  # levels that are as far apart on the axes as possible
            walked = (np.cumsum(hits) / hits.sum() + np.cumsum(~hits) / (~hits).sum())[ends]
            ends = ends[np.unique(np.searchsorted(walked, np.linspace(0, walked[-1], MAX_POINTS)[1:] - 1e-12))]
        starts = np.append(0, ends[:-1] + 1)
        return cls(label, hits, order, starts, ordered[ends], [])

    def resample(self, weights: Floats) -> None:
        """Add resamples, float64[r, n] counts of the rows."""
        self.drawn.append(self._counts(weights[:, self.order]))

    def roc(self) -> Curve:
        """Return the ROC curve with the best point of each false positive rate, and its start."""
        (hits,), (false_alarms,) = self._counts(np.ones((1, len(self.order))))
        x, y = false_alarms / false_alarms[-1], hits / hits[-1]
        kept = np.append(x[1:] > x[:-1], True)
        values = [
            np.interp(x[kept], np.append(0, false / false[-1]), np.append(0, true / true[-1]))
            for true, false in self._rows()
            if true[-1] and false[-1]
        ]
        return self._curve(x[kept], y[kept], np.array(values), self.thresholds[kept], start=0.0)

    def precision_recall(self) -> Curve:
        """Return precision at each recall: that of the highest threshold which reaches it."""
        (hits,), (false_alarms,) = self._counts(np.ones((1, len(self.order))))
        kept = (np.diff(hits, prepend=0) > 0) & (hits > 0)
        x, y = (hits / hits[-1])[kept], (hits / (hits + false_alarms))[kept]
        values = []
        for true, false in self._rows():
            if true[-1]:
                places = np.searchsorted(true / true[-1], x - 1e-12)
                values.append((true / np.maximum(true + false, 1))[places])
        return self._curve(x, y, np.array(values), self.thresholds[kept])

    def _rows(self) -> list[tuple[Floats, Floats]]:
        """Return true and false positives at the levels of each resample."""
        return [pair for block in self.drawn for pair in zip(*block, strict=True)]

    def _counts(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return true and false positives [r, g] at the levels, from weights [r, n] of the sorted rows."""
        hits = np.add.reduceat(weights * self.truth, self.starts, axis=1).cumsum(1)
        return hits, np.add.reduceat(weights, self.starts, axis=1).cumsum(1) - hits

    def _curve(self, x: Floats, y: Floats, values: Floats, thresholds: Floats, start: float | None = None) -> Curve:
        tail = (1 - LEVEL) / 2
        low, high = np.quantile(values, [tail, 1 - tail], axis=0) if len(values) else np.full((2, len(x)), np.nan)
        low, high = np.fmin(low, y) if len(values) else low, np.fmax(high, y) if len(values) else high
        if start is not None:
            x, y, low, high = (np.append(start, own) for own in (x, y, low, high))
            thresholds = np.append(np.nan, thresholds)
        return Curve(self.label, x, y, low, high, thresholds, np.zeros(0, np.int64))


def _reliability_of_top(outcome: Outcome) -> Curve:
    confidence = outcome.scores[np.arange(len(outcome)), outcome.predicted]
    return _reliability(TOP_CLASS, outcome.truth == outcome.predicted, confidence, outcome.groups)


def _reliability(label: Any, truth: Truths, scores: Floats, groups: Rows | None) -> Curve:
    """Return frequency against mean probability in bins of equally many rows; equal scores share a bin."""
    bins = min(BINS, max(1, len(scores) // BIN_ROWS))
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - counts / 2
    bin_of = (bins * middles / len(scores)).astype(np.int64)[places]
    own = [np.flatnonzero(bin_of == number) for number in np.unique(bin_of)]
    found = [proportion(truth[rows], None if groups is None else groups[rows]) for rows in own]
    y, low, high = (np.array([getattr(one, name) for one in found]) for name in ("value", "low", "high"))
    x = np.array([scores[rows].mean() for rows in own])
    return Curve(label, x, y, low, high, np.zeros(0), np.array([len(rows) for rows in own]))
