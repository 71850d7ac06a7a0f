"""Intervals of proportions, such as sensitivity, for independent rows and for groups of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.evaluate.bootstrap import LEVEL
from sensorium.evaluate.resampled_t import quantile_t
from sensorium.files.figures import finite
from sensorium.table import Rows

NORMAL = 1.959963984540054  # standard normal quantile of a 95% interval


@dataclass(frozen=True)
class Estimate:
    """Value with its 95% interval; NaN if it is not defined."""

    value: float
    low: float
    high: float

    def to_json(self) -> list[float | None]:
        return [finite(self.value), finite(self.low), finite(self.high)]


UNDEFINED = Estimate(math.nan, math.nan, math.nan)


def proportion(hits: npt.NDArray[np.bool_], groups: Rows | None = None) -> Estimate:
    """Return the share of hits with its Wilson interval (Wilson 1927).

    Rows of a group are alike. Their number is then divided by the design effect, the variance between groups over that
    of independent rows (Rao and Scott 1992); if all rows or none are hits, the number of groups takes its place. The
    quantile is that of Student's t-distribution for the number of groups. There is no interval for a single group.

    Args:
        hits: bool[n].
        groups: int64[n] group of each row; None if the rows are independent.

    Example:
        >>> from sensorium.evaluate.proportions import proportion
        >>> share = proportion(np.arange(10) < 8)
        >>> round(share.value, 3), round(share.low, 3), round(share.high, 3)
        (0.8, 0.49, 0.943)
    """
    if not len(hits):
        return UNDEFINED
    share = float(hits.mean())
    if groups is None:
        return Estimate(share, *wilson(share, len(hits)))
    count = len(np.unique(groups))
    if count < 2:
        return Estimate(share, math.nan, math.nan)
    return Estimate(share, *wilson(share, _effective_rows(hits, groups), quantile_t(LEVEL, count - 1)))


def wilson(share: float, rows: float, quantile: float = NORMAL) -> tuple[float, float]:
    """Return the Wilson interval of a share of rows, whose number may be fractional.

    Args:
        share: the share.
        rows: the number of rows.
        quantile: of the standard normal distribution, or of Student's for few groups.
    """
    square = quantile**2 / rows
    middle = (share + square / 2) / (1 + square)
    margin = quantile / (1 + square) * math.sqrt(share * (1 - share) / rows + square / (4 * rows))
    return max(0.0, min(share, middle - margin)), min(1.0, max(share, middle + margin))


def _effective_rows(hits: npt.NDArray[Any], groups: Rows) -> float:
    """Return the number of independent rows with the same variance, for two groups or more."""
    places = np.unique(groups, return_inverse=True)[1]
    sizes, sums = np.bincount(places), np.bincount(places, hits)
    count, rows, share = len(sizes), len(hits), hits.mean()
    if share in (0, 1):
        return float(count)
    variance = count / (count - 1) * float(((sums - share * sizes) ** 2).sum()) / rows**2
    design_effect = variance / (share * (1 - share) / rows)
    return rows / max(design_effect, 1.0)
