"""Slices that the search examines: those of every column, and of every pair of columns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
from scipy.sparse import csr_array

from sensorium.evaluate._slice_results import ROUGH_GROUPS, ROUGH_ROWS
from sensorium.evaluate.slices.cuts import Cut
from sensorium.table import Rows, Truths

LEAST_SHARE = 0.02  # of the rows that a slice has at least
MOST_SHARE = 0.5  # … and at most: if most rows are worse, the others are better
MAX_PAIRED = 24  # columns that are combined in pairs, the first ones
SliceName: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]  # columns, and the value of each


@dataclass(frozen=True, eq=False)
class Candidates:
    """Slices of n rows to compare.

    Attributes:
        names: columns and values of each of the c slices.
        rows: sparse float64[c, n], 1 for the rows of a slice.
        least: smallest number of rows of a slice.
    """

    names: Sequence[SliceName]
    rows: csr_array
    least: int

    def __len__(self) -> int:
        return len(self.names)

    def rows_of(self, name: SliceName) -> Truths:
        """Return bool[n], the rows of a slice."""
        return np.asarray(self.rows[[self.names.index(name)]].toarray()[0] > 0)

    def within(self, keep: Truths, groups: Rows | None) -> Candidates:
        """Return the slices of the rows to keep, without those that are too small or too large among them."""
        rows = self.rows[:, np.flatnonzero(keep)]
        own = None if groups is None else groups[keep]
        spans = zip(rows.indptr[:-1], rows.indptr[1:], strict=True)
        sized = [
            place
            for place, (start, end) in enumerate(spans)
            if _is_enough(rows.indices[start:end], self.least, rows.shape[1], own)
        ]
        return Candidates([self.names[place] for place in sized], rows[sized], self.least)


def list_candidates(cuts: Sequence[Cut], groups: Rows | None, rows: int) -> Candidates:
    """List the slices of every cut and every pair of cuts that have enough rows and groups, and at most half of all.

    Args:
        cuts: of the same rows.
        groups: int64[n] group of each row; None if the rows are independent.
        rows: number of rows, n.
    """
    least = max(ROUGH_ROWS, math.ceil(LEAST_SHARE * rows))
    names, places = list[SliceName](), list[Rows]()
    for name, own in _every(cuts, least):
        if _is_enough(own, least, rows, groups):
            names.append(name)
            places.append(own)
    starts = np.cumsum([0, *map(len, places)])
    columns = np.concatenate([np.zeros(0, np.int64), *places])
    return Candidates(names, csr_array((np.ones(len(columns)), columns, starts), shape=(len(names), rows)), least)


def _every(cuts: Sequence[Cut], least: int) -> Iterator[tuple[SliceName, Rows]]:
    """Yield name and rows of each slice, then of each pair of slices that is smaller than both."""
    for cut in cuts:
        for value, own in zip(cut.values, cut.rows, strict=True):
            yield ((cut.column,), (value,)), np.flatnonzero(own)
    for first, second in combinations(cuts[:MAX_PAIRED], 2):
        counts = first.rows.astype(np.float32) @ second.rows.T.astype(np.float32)
        sizes = np.minimum(first.rows.sum(1)[:, None], second.rows.sum(1)[None])
        for one, other in np.argwhere((counts >= least) & (counts < sizes)):
            name = (first.column, second.column), (first.values[one], second.values[other])
            yield name, np.flatnonzero(first.rows[one] & second.rows[other])


def _is_enough(own: Rows, least: int, rows: int, groups: Rows | None) -> bool:
    if not least <= len(own) <= MOST_SHARE * rows:
        return False
    return groups is None or int((np.bincount(groups[own]) > 0).sum()) >= ROUGH_GROUPS
