"""Studentized bootstrap (bootstrap-t) of ratios of sums over rows (Hall 1988).

Errors of few rows are large: the mean of a sample without them is too small, and so is its standard error. Quantiles of
(mean of a resample − mean) / (standard error of the resample) allow for that; percentiles do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sensorium.table import Floats, Rows

MIN_UNITS = 10  # rows or groups, below which resamples often have almost no standard error


@dataclass(frozen=True)
class Studentized:
    """Resamples of a ratio of sums over units, which are rows or groups.

    Attributes:
        first: int64[u], a row of each unit.
        above, below: float64[u]; numerator and denominator of each unit.
        of_ratio: monotonic function from the ratio to the metric.
        drawn: studentized values of each block of resamples.
    """

    first: Rows
    above: Floats
    below: Floats
    of_ratio: Callable[[float], float]
    drawn: list[Floats] = field(default_factory=list)

    @classmethod
    def of(
        cls, above: Floats, below: Floats, of_ratio: Callable[[float], float], *, groups: Rows | None
    ) -> Studentized:
        """Return the sums over units from those of rows, float64[n]."""
        if groups is None:
            return cls(np.arange(len(above)), above, below, of_ratio)
        _, first, place = np.unique(groups, return_index=True, return_inverse=True)
        sums = [np.asarray(np.bincount(place, own, len(first)), np.float64) for own in (above, below)]
        return cls(first, sums[0], sums[1], of_ratio)

    def add(self, weights: Floats) -> None:
        """Add resamples by the weights of their rows, float64[r, n]; rows of a group have the same weight."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratios, errors = self._ratios(weights[:, self.first])
            whole, _ = self._ratios(np.ones((1, len(self.first))))
            self.drawn.append((ratios - whole) / errors)

    def ends(self, level: float) -> tuple[float, float] | None:
        """Return the interval of the metric; None for few units or without variance, where it does not exist."""
        if len(self.first) < MIN_UNITS:
            return None
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio, error = (float(own[0]) for own in self._ratios(np.ones((1, len(self.first)))))
        drawn = np.concatenate(self.drawn)
        defined = drawn[np.isfinite(drawn)]
        if not (math.isfinite(ratio) and math.isfinite(error) and error > 0 and 2 * len(defined) > len(drawn)):
            return None
        tail = (1 - level) / 2
        below, above = np.quantile(defined, [tail, 1 - tail])
        low, high = sorted(self.of_ratio(ratio - float(own) * error) for own in (above, below))
        return low, high

    def _ratios(self, counts: Floats) -> tuple[Floats, Floats]:
        """Return ratio and standard error of resamples, [r] each, from the number of times that units are drawn."""
        number, total = counts.sum(1), counts @ self.below
        ratios = counts @ self.above / total
        squares = counts @ self.above**2 - 2 * ratios * (counts @ (self.above * self.below))
        squares += ratios**2 * (counts @ self.below**2)
        return ratios, np.sqrt(squares.clip(0) * number / (number - 1)) / np.abs(total)
