"""Test many slices at once: the largest statistic of all slices, under the hypothesis that no slice is worse.

The distribution of the largest statistic is that of the table itself, with losses that are assigned to other rows
(Westfall and Young 1993, "Resampling-Based Multiple Testing"). It takes into account how many slices there are and how
much they overlap. The slices are made without the losses, so all rows can take part in the choice and in the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from sensorium.table import Floats, Rows

DRAWS = 1000  # permutations, or flips of signs
CELLS, LEAST_BLOCK = 200_000, 8  # numbers in a block of drawn losses, which the processor's cache should hold
TINY = 1e-300


class MaxTest(NamedTuple):
    """Statistic of each of c slices, float64[c], and its p-value, corrected for all of them."""

    statistics: Floats
    p: Floats


def compare_slices(rows: csr_array, losses: Floats, groups: Rows | None = None, seed: int = 0) -> MaxTest:
    """Test whether the mean loss of each slice is higher than that of all other rows.

    Rows that are independent: the statistic is Welch's t, and losses are permuted over the rows. Rows in groups: the
    statistic is a score that is robust to groups, and all residuals of a group change their sign together (score wild
    cluster bootstrap, Kline and Santos 2012).

    Args:
        rows: sparse float64[c, n], 1 for the rows of a slice.
        losses: float64[n].
        groups: int64[n] group of each row; None if the rows are independent.
        seed: random seed of the draws.
    """
    residuals = losses - losses.mean()
    random = np.random.default_rng(seed)
    if groups is None:
        observed = _welch(rows, residuals[:, None])[:, 0]
        maxima = np.concatenate([_welch(rows, block).max(0) for block in _permuted(residuals, random)])
    else:
        scores = _GroupScores.of(rows, residuals, groups)
        observed = scores.statistics(np.ones((scores.groups, 1)))[:, 0]
        maxima = np.concatenate([scores.statistics(signs).max(0) for signs in _signs(scores.groups, random)])
    nearly = observed - 1e-9 * np.abs(observed)  # sums of the same losses in another order may differ in the last bits
    above = len(maxima) - np.searchsorted(np.sort(maxima), nearly)
    return MaxTest(observed, (1 + above) / (1 + len(maxima)))


def _welch(rows: csr_array, losses: Floats) -> Floats:
    """Return Welch's t of each slice against the other rows, [c, b], for b assignments of losses, [n, b]."""
    size = np.asarray(rows.sum(1))[:, None]
    others = len(losses) - size
    sums, squares = rows @ losses, rows @ np.square(losses)
    mean, mean_others = sums / size, (losses.sum(0) - sums) / others
    spread = (squares / size - np.square(mean)) / (size - 1)
    spread_others = ((np.square(losses).sum(0) - squares) / others - np.square(mean_others)) / (others - 1)
    return np.asarray((mean - mean_others) / np.sqrt(np.maximum(spread + spread_others, TINY)), np.float64)


def _permuted(losses: Floats, random: np.random.Generator) -> Iterator[Floats]:
    """Yield the losses in other orders, float64[n, b]."""
    for size in _blocks(len(losses)):
        yield np.stack([random.permutation(losses) for _ in range(size)], 1)


def _signs(groups: int, random: np.random.Generator) -> Iterator[Floats]:
    for size in _blocks(groups):
        yield random.choice([-1.0, 1.0], (groups, size))


def _blocks(rows: int) -> Iterator[int]:
    block = max(LEAST_BLOCK, CELLS // max(1, rows))
    for start in range(0, DRAWS, block):
        yield min(block, DRAWS - start)


class _GroupScores(NamedTuple):
    """Sums of residuals of each group: in each slice, and over all of its rows.

    The score of group g for slice s is Σ (1[row in s] − share of s) · residual over the rows of g.
    """

    inside: csr_array
    whole: Floats
    shares: Floats
    scale: Floats

    @classmethod
    def of(cls, rows: csr_array, residuals: Floats, groups: Rows) -> _GroupScores:
        codes = np.unique(groups, return_inverse=True)[1]
        number = len(residuals)
        joint = csr_array((residuals, codes, np.arange(number + 1)), shape=(number, int(codes.max()) + 1))
        inside = csr_array(rows @ joint)
        whole = np.asarray(np.bincount(codes, weights=residuals), np.float64)
        shares = np.asarray(rows.sum(1))[:, None] / number
        squares = np.asarray(inside.multiply(inside).sum(1))[:, None]
        variance = squares - 2 * shares * (inside @ whole[:, None]) + np.square(shares) * np.square(whole).sum()
        return cls(inside, whole, shares, np.sqrt(np.maximum(variance, TINY)))

    @property
    def groups(self) -> int:
        return len(self.whole)

    def statistics(self, signs: Floats) -> Floats:
        """Return the statistic of each slice, [c, b], for b assignments of signs to groups, [g, b]."""
        return np.asarray((self.inside @ signs - self.shares * (self.whole @ signs)) / self.scale, np.float64)
