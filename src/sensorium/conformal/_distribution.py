"""Distribution of nonconformity scores, whose quantiles bound sets and intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sensorium.table import Floats, Rows

MOST = 1000  # scores that are stored; of more, the next larger one stands in, so that coverage does not fall
ROUNDING = 1e-9  # error of sums of weights, in units


@dataclass(frozen=True, eq=False)
class Distribution:
    """Distribution of the scores of calibration rows.

    Attributes:
        scores: float64[m], ascending.
        mass: float64[m]: number of units with a score up to this one. A unit is a row, or a group of rows, whose rows
            share its mass.
        rows: number of rows.
    """

    scores: Floats
    mass: Floats
    rows: int

    @classmethod
    def of(cls, scores: Floats, groups: Rows | None = None) -> Distribution:
        """Return the distribution of at least one score.

        Args:
            scores: float64[n].
            groups: int64[n] group of each row; None if the rows are independent.
        """
        weights = np.ones(len(scores))
        if groups is not None:
            _, places, sizes = np.unique(groups, return_inverse=True, return_counts=True)
            weights = 1 / sizes[places]
        order = np.argsort(scores, kind="stable")
        mass = np.cumsum(weights[order])
        mass[-1] = round(mass[-1])
        kept = np.unique(np.linspace(0, len(scores) - 1, min(MOST, len(scores))).round().astype(np.int64))
        return cls(np.asarray(scores[order][kept], np.float64), mass[kept], len(scores))

    @property
    def units(self) -> int:
        """Number of rows or groups."""
        return round(float(self.mass[-1]))

    def limit(self, coverage: float) -> float:
        """Return the score up to which values belong to the region of a row; infinite if there are too few units.

        With n units, this is the ⌈(n + 1) · coverage⌉-th smallest score (Vovk et al. 2005, "Algorithmic learning in a
        random world"), and for groups the same quantile of the mean of their distributions (Lee, Barber and Willett
        2023, arXiv:2306.06342). At least 1/(1 − coverage) − 1 units are needed.
        """
        place = int(np.searchsorted(self.mass, coverage * (self.units + 1) - ROUNDING))
        return float(self.scores[place]) if place < len(self.scores) else math.inf


def units_needed(coverage: float) -> int:
    """Return the number of rows or groups from which on a limit is finite: ⌈1 / (1 − coverage)⌉ − 1."""
    return max(1, math.ceil(coverage / (1 - coverage) - ROUNDING))
