"""Rankings of many classes with few positive rows each: sums over pairs of a positive row and any row.

Sorting the rows by the score of each class takes rows × classes steps per weighting. Pairs take positive rows × rows,
but as products of matrices, which are much faster if a class has few positive rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.metrics._base import Outcome
from sensorium.table import Floats, Rows

MIN_PAIRED_CLASSES = 20  # from which pairs can be cheaper
FEW_POSITIVES = 64  # per class, on average, up to which pairs are cheaper
CELLS = 4_000_000  # pairs compared at a time: 16 MB
EXACT = 2.0**22  # sum of integer weights up to which float32 has no rounding errors, halves included

Comparison: TypeAlias = Callable[[Floats, Floats], npt.NDArray[Any]]
"""(scores of all rows (c, n), scores of positive rows (c, 1)) → (c, n): the factor of each pair."""


def has_many_classes(outcome: Outcome) -> bool:
    """Return whether an outcome has many classes or labels, with few positive rows each."""
    if outcome.scores.ndim < 2 or outcome.scores.shape[1] < MIN_PAIRED_CLASSES:
        return False
    positives = int(outcome.truth.sum()) if outcome.is_multilabel else len(outcome)
    return 0 < positives <= FEW_POSITIVES * outcome.scores.shape[1]


@dataclass(frozen=True)
class Positives:
    """Positive rows of all classes, by class and then from the highest score.

    Attributes:
        rows: int64[p] index of the row.
        classes: int64[p] its class; each class of at least one row.
        scores: float64[p] its score for the class.
        by_class: float64[k, n]; the scores of all rows.
    """

    rows: Rows
    classes: Rows
    scores: Floats
    by_class: Floats

    @classmethod
    def of(cls, outcome: Outcome) -> Positives | None:
        """Return the positive rows; None if it is quicker to sort the rows by the score of each class."""
        if not has_many_classes(outcome):
            return None
        if outcome.is_multilabel:
            rows, classes = np.nonzero(outcome.truth)
        else:
            rows, classes = np.arange(len(outcome)), outcome.truth
        scores = outcome.scores[rows, classes]
        order = np.lexsort((-scores, classes))
        return cls(rows[order], classes[order], scores[order], np.ascontiguousarray(outcome.scores.T))

    @property
    def starts(self) -> Rows:
        """Return the place of the first positive row of each class."""
        return np.flatnonzero(np.diff(self.classes, prepend=-1))

    @property
    def ties_end(self) -> Rows:
        """Return int64[p]: the place of the last row of the class with the same score."""
        last = np.append((np.diff(self.classes) != 0) | (np.diff(self.scores) != 0), True)
        ends = np.flatnonzero(last)
        return ends[np.searchsorted(ends, np.arange(len(last)))]

    def areas(self, function: Callable[[Positives, Floats], Floats], weights: Floats) -> Floats:
        """Return a function's [r, classes] of a few weightings at a time, so that arrays [r, p] stay small."""
        step = max(1, CELLS // len(self.rows))
        return np.concatenate([function(self, weights[start : start + step]) for start in range(0, len(weights), step)])

    def per_class(self, values: Floats) -> Floats:
        """Return the sums over the positive rows of each class: [r, p] → [r, classes]."""
        return np.add.reduceat(values, self.starts, axis=1)

    def true_above(self, weights: Floats) -> Floats:
        """Return float64[r, p]: the weight of the class's positive rows with at least this score."""
        sums = weights[:, self.rows].cumsum(1)
        before = np.pad(sums, ((0, 0), (1, 0)))[:, self.starts]
        own = np.searchsorted(self.starts, np.arange(len(self.rows)), side="right") - 1
        return sums[:, self.ties_end] - before[:, own]

    def sum_pairs(self, weights: Floats, compare: Comparison) -> Floats:
        """Return float64[r, p]: Σ_j w_j · compare(score of row j, score of positive row p), for the class of p."""
        whole = bool((weights == np.rint(weights)).all()) and float(weights.sum(1).max()) < EXACT
        kind: np.dtype[Any] = np.dtype(np.float32 if whole else np.float64)
        factors: npt.NDArray[Any] = weights.astype(kind)
        found = np.empty((len(weights), len(self.rows)))
        step = max(1, CELLS // weights.shape[1])
        for start in range(0, len(self.rows), step):
            part = slice(start, start + step)
            pairs: npt.NDArray[Any] = compare(self.by_class[self.classes[part]], self.scores[part, None]).astype(
                kind, copy=False
            )
            found[:, part] = factors @ pairs.T
        return found
