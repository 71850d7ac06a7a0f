"""Acceleration of the bootstrap interval BCa (Efron 1987)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from sensorium.evaluate.bootstrap import MANY_CELLS
from sensorium.metrics import Outcome, score
from sensorium.table import Floats, Rows

BLOCKS = 200  # at most, of rows or groups, that the jackknife leaves out
MAX_UNITS = 5_000  # rows or groups, above which the acceleration is about 0: it falls with their square root
LARGEST = 0.15


def measure_acceleration(name: str, runs: Sequence[Outcome]) -> float:
    """Return a sixth of the skewness of the jackknife values of a metric, which leave out rows or groups."""
    groups, rows = runs[0].groups, len(runs[0])
    places = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(places.max(initial=-1)) + 1
    if units > MAX_UNITS:
        return 0.0
    blocks = [np.mean([score(name, run, weights) for run in runs], axis=0) for weights in _jackknife(places, units)]
    left = np.concatenate(blocks) if blocks else np.zeros(0)
    left = left[np.isfinite(left)]
    away = left.mean() - left if len(left) > 2 else np.zeros(1)
    largest = float(np.abs(away).max())
    if largest == 0 or not math.isfinite(largest):
        return 0.0
    away = away / largest  # else squares of huge values are infinite
    skewness = float((away**3).sum() / (away**2).sum() ** 1.5)
    return min(LARGEST, max(-LARGEST, skewness / 6))


def _jackknife(places: Rows, units: int) -> Iterator[Floats]:
    """Yield weightings float64[b, rows] that each leave out a part of the units, such as every 200th row."""
    parts = min(BLOCKS, units)
    step = max(1, MANY_CELLS // max(1, len(places)))
    for start in range(0, parts, step):
        yield (places % parts != np.arange(start, min(parts, start + step))[:, None]).astype(np.float64)
