"""Detect outliers: typing errors, and codes for missing values such as 999999999."""

from __future__ import annotations

import numpy as np

from sensorium.modalities.number import robust_mean_and_deviation
from sensorium.table import Floats, Truths

FEWEST = 20  # values from which outliers are detected
CODES = 3  # different numbers, at most, that stand for a missing value
MOST = 0.25  # share of the values that may
FAR = 100.0  # times as far from the median as the farthest of the others
NINES_FAR, NINES_SPREADS = 10.0, 20.0  # of 999, -9999 …: that, and times the distance between the quartiles


def far_values(values: Floats) -> Truths:
    """Return bool[n]: whether a finite value is an outlier.

    Outliers are a few stray values (see `robust_mean_and_deviation`), and up to three recurring numbers.
    """
    far = robust_mean_and_deviation(values)[2]
    if len(values) < FEWEST:
        return far
    return far | _codes(values, far)


def reach_of(values: Floats, far: Truths) -> tuple[float, float]:
    """Return the median without outliers, and the distance from it beyond which values are outliers (0: no limit)."""
    kept = values[~far]
    if len(kept) < FEWEST:
        return 0.0, 0.0
    middle = float(np.median(kept))
    distances = np.abs(values - middle)
    farthest = float(distances[~far].max())
    if far.any():
        return middle, float(np.sqrt(max(farthest, 1e-300)) * np.sqrt(distances[far].min()))
    return middle, min(FAR * farthest, float(np.finfo(np.float64).max))


def _codes(values: Floats, far: Truths) -> Truths:
    """Return the outermost distinct values, at most as many as there may be codes."""
    kept = values[~far]
    different = np.unique(kept)
    outermost = different[np.argsort(-np.abs(different - np.median(kept)), kind="stable")][:CODES]
    for number in range(len(outermost), 0, -1):
        codes = outermost[:number]
        rest = kept[~np.isin(kept, codes)]
        some = np.isin(values, codes)
        if some.mean() <= MOST and all(_is_code(code, values, rest) for code in codes):
            return far | some
    return far


def _is_code(value: float, values: Floats, rest: Floats) -> bool:
    if len(rest) < FEWEST // 2 or int((values == value).sum()) < 2:
        return False
    middle = float(np.median(rest))
    distance, farthest = abs(value - middle), float(np.abs(rest - middle).max())
    low, high = np.quantile(rest, (0.25, 0.75))
    nines = float(value).is_integer() and set(f"{abs(value):.0f}") == {"9"} and abs(value) > 9
    far, spreads = (NINES_FAR, NINES_SPREADS) if nines else (FAR, FAR)
    return farthest > 0 and distance > max(far * farthest, spreads * float(high - low))
