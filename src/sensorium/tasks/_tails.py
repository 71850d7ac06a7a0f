"""Detect heavy tails, for which a robust loss is used."""

from __future__ import annotations

import numpy as np

from sensorium.modalities.number import mean_and_deviation
from sensorium.table import Floats

FEWEST = 100  # values from which tails are judged
TAIL = 0.01  # share of the values in each tail
HEAVY = 2.25  # distance of a tail from the median, in interquartile ranges; normal: 1.7, Laplace: 2.8, Student t₃: 3.0
NORMAL_RANGE = 1.349  # interquartile range of the standard normal distribution


def has_heavy_tails(values: Floats) -> bool:
    """Return whether both tails of a distribution are heavier than those of a normal one."""
    if len(values) < FEWEST:
        return False
    low, first, middle, third, high = np.quantile(values, (TAIL, 0.25, 0.5, 0.75, 1 - TAIL))
    return bool(min(middle - low, high - middle) > HEAVY * (third - first) > 0)


def median_and_spread(values: Floats) -> tuple[float, float]:
    """Return the median, and the deviation of a normal distribution with the same interquartile range.

    If the quartiles are equal, the standard deviation is returned.
    """
    if not len(values):
        return 0.0, 1.0
    first, middle, third = np.quantile(values, (0.25, 0.5, 0.75))
    spread = float(third / NORMAL_RANGE - first / NORMAL_RANGE)
    return float(middle), spread if spread > 1e-300 else mean_and_deviation(values)[1]
