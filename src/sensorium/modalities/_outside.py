"""Values that lie outside of all others."""

from __future__ import annotations

import numpy as np

from sensorium.table import Floats, Truths

OTHERS = 20  # fewest other values that a sentinel is compared with
AGES = 500 * 365.2425 * 86_400.0  # seconds; dates this far from the others are sentinels
MOST_FAR = 0.3  # share of the cells


def far_outside(others: Floats, values: Floats, ranges: float, least: float = 0.0) -> Truths:
    """Return bool[n]: which values lie outside of the others by `ranges` times their range, and by `least`."""
    if len(others) < OTHERS or others.min() == others.max():
        return np.zeros(len(values), bool)
    low, high = float(others.min()), float(others.max())
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.maximum(low - values, values - high) > max(ranges * (high - low), least))


def only_negative(others: Floats, values: Floats) -> Truths:
    """Return bool[n]: which values are negative although no other one is (moments: before 1970)."""
    return (values < 0) & bool(len(others) >= OTHERS and others.min() >= 0)


def centuries_away(seconds: Floats) -> Truths:
    """Return bool[n]: dates such as 9999-12-31, centuries away from all others, which stand for missing ones."""
    far = np.abs(seconds - np.median(seconds)) > AGES if len(seconds) else np.zeros(0, bool)
    others = seconds[~far]
    few = far.sum() <= MOST_FAR * len(seconds) and len(others) and np.ptp(others) < AGES / 2
    return far if few else np.zeros(len(seconds), bool)
