"""TF-IDF of words and pairs of words; for trees, its principal components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from sensorium.baselines._blocks import Block, Form, has_gaps, missing_as_nan
from sensorium.baselines._reduce import COMPONENTS, check_directions, principal_directions
from sensorium.prepare.summaries import Kind, Summary
from sensorium.prepare.summaries.terms import PAIR, Counts, Keys, are_sets, rows_with, select_terms, words_per_row

MAX_TERMS = {"linear": 50_000, "trees": 20_000}  # the most frequent ones are kept
MIN_ROWS = 2  # rows in which a term must occur
LARGEST_IDF = 100.0  # ln(rows) + 1 of any table is smaller


@dataclass(frozen=True, eq=False)
class TextBlock(Block):
    """TF-IDF with logarithmic counts, 1 + ln tf, and weights of length 1 per text.

    Terms are words and pairs of adjacent words that occur in two texts or more, at most 50,000 of them (20,000 for
    trees), the most frequent ones. Sets, such as tags, have no pairs. Trees get 100 components of the weights (latent
    semantic analysis, Deerwester et al. 1990) and the logarithm of the number of words.

    Attributes:
        keys: int64[t], sorted keys of the terms (see `count_terms`).
        idf: float64[t], ln((1 + n) / (1 + df)) + 1.
        directions: float32[t, c], of the components; c = 0 for linear models.
    """

    kind: ClassVar[Kind] = "terms"

    keys: npt.NDArray[np.int64]
    idf: npt.NDArray[np.float64]
    directions: npt.NDArray[np.float32]

    def check(self) -> None:
        if self.keys.ndim != 1 or self.idf.shape != self.keys.shape or bool((np.diff(self.keys) <= 0).any()):
            raise ValueError("keys and idf do not match")
        if bool((self.idf < 0).any() or (self.idf > LARGEST_IDF).any()):
            raise ValueError("an inverse document frequency is out of range")
        check_directions(self.directions, len(self.keys))

    @classmethod
    def learn(cls, column: Summary, form: Form, seed: int) -> Self:
        rows = np.flatnonzero(column.present)
        counts = column.values[rows]
        frequency = rows_with(counts)
        if are_sets(column.keys[frequency > 0]):
            frequency = np.where(column.keys >> PAIR, 0, frequency)
        chosen = _frequent(frequency, MAX_TERMS[form])
        keys, idf = column.keys[chosen], np.log((1 + len(rows)) / (1 + frequency[chosen])) + 1
        weights = _weigh(select_terms(counts, column.keys, keys), idf)
        none = np.zeros((len(keys), 0), np.float32)
        directions = principal_directions(weights, COMPONENTS, seed) if form == "trees" else none
        return cls(form, has_gaps(column, form), keys, idf, directions)

    @property
    def width(self) -> int:
        return self.directions.shape[1] + 1 if self.form == "trees" else len(self.keys)

    def _features(self, column: Summary) -> Any:
        weights = _weigh(select_terms(column.values, column.keys, self.keys), self.idf)
        if self.form == "linear":
            return weights
        words = np.log1p(words_per_row(column.values, column.keys))
        return missing_as_nan(np.concatenate([weights @ self.directions, words[:, None]], 1), column.present)


def _frequent(frequency: Keys, most: int) -> Keys:
    """Return the places of the most frequent terms, in increasing order."""
    known = np.flatnonzero(frequency >= max(1, min(MIN_ROWS, frequency.max(initial=0))))
    order = np.argsort(-frequency[known], kind="stable")
    return np.sort(known[order[:most]])


def _weigh(counts: Counts, idf: npt.NDArray[np.float64]) -> Counts:
    """Return the weights of counts: logarithmic, by inverse document frequency, each row of length 1 or 0."""
    weights = counts.copy()
    values = (1 + np.log(weights.data)) * idf[weights.indices]
    sums = np.concatenate([[0.0], np.cumsum(values**2)])
    length = np.sqrt(np.maximum(np.diff(sums[weights.indptr]), 1e-12))
    weights.data = (values / np.repeat(length, np.diff(weights.indptr))).astype(np.float32)
    return weights
