"""Confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.metrics import Outcome

MAX_CLASSES = 50  # of a matrix; rarer ones are counted together
OTHER = "other classes"


@dataclass(frozen=True)
class ConfusionMatrix:
    """Number of rows by true and predicted class, or of each label.

    Attributes:
        labels: the classes, in the order of the model, or the labels.
        counts: for classes, int64[k, k]: rows are true classes, columns predicted ones. For multilabel, int64[k, 2, 2]
            of each label: [[true negatives, false positives], [false negatives, true positives]].
        combined: number of classes that are counted together, as the last entry of `labels`; for multilabel, number of
            labels that are left out. The most frequent `MAX_CLASSES` are kept.
    """

    labels: list[Any]
    counts: npt.NDArray[np.int64]
    combined: int = 0

    @classmethod
    def of(cls, outcome: Outcome, labels: Sequence[Any]) -> ConfusionMatrix:
        """Count the rows of an outcome of a task with these labels."""
        truth, predicted = outcome.truth, outcome.predicted
        frequency = truth.sum(0) if outcome.is_multilabel else np.bincount(truth, minlength=len(labels))
        kept = np.sort(np.argsort(-frequency, kind="stable")[:MAX_CLASSES])
        cut = len(labels) - len(kept)
        names = [labels[place] for place in kept]
        if outcome.is_multilabel:
            pairs = zip(truth.T[kept], predicted.T[kept], strict=True)
            return cls(names, np.array([_count(own.astype(int), by.astype(int), 2) for own, by in pairs]), cut)
        position = np.full(len(labels), len(kept))
        position[kept] = np.arange(len(kept))
        size = len(kept) + bool(cut)
        return cls([*names, *[OTHER] * bool(cut)], _count(position[truth], position[predicted], size), cut)

    def to_json(self) -> dict[str, Any]:
        """Return `{"labels", "counts"}`, and `"combined"` if classes are counted together."""
        cut = {"combined": self.combined} if self.combined else {}
        return {"labels": self.labels, "counts": self.counts.tolist(), **cut}


def _count(truth: npt.NDArray[Any], predicted: npt.NDArray[Any], size: int) -> npt.NDArray[np.int64]:
    return np.bincount(truth * size + predicted, minlength=size * size).reshape(size, size)
