"""Bootstrap: how much a metric varies between samples of rows (Efron and Tibshirani 1993)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sensorium.table import Floats

RESAMPLES = 1000
LEVEL = 0.95
CELLS = 400_000  # numbers in one block of weights: 3 MB, which also is quicker than larger ones
MANY_CELLS = 4_000_000  # … for many classes, whose metrics prepare each block at a cost


def resamples(rows: int, count: int = RESAMPLES, seed: int = 0, *, cells: int = CELLS) -> Iterator[Floats]:
    """Yield blocks float64[r, rows] with the number of times that each row is drawn, `count` resamples in all.

    Args:
        rows: number of rows of a resample.
        count: number of resamples.
        seed: of the draws, which do not depend on the size of a block.
        cells: numbers in one block.
    """
    random = np.random.default_rng(seed)
    block = max(1, min(count, cells // max(1, rows)))
    for start in range(0, count, block):
        drawn = [np.bincount(random.integers(0, rows, rows), minlength=rows) for _ in range(min(block, count - start))]
        yield np.array(drawn, dtype=np.float64)


def pick_runs(runs: int, draws: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw runs with replacement, int64[k, draws]: one fewer than the number of runs (or the only one).

    The mean of n runs drawn from n has only (n - 1)/n of the variance of the mean of n runs. Drawing n - 1 runs
    corrects this (Rao and Wu 1988).
    """
    return random.integers(0, runs, (runs - 1, draws)) if runs > 1 else np.zeros((1, draws), np.int64)


def interval(values: Floats, level: float = LEVEL) -> tuple[float, float]:
    """Compute the percentile interval of bootstrapped values; NaN if fewer than half of them are defined."""
    defined = values[np.isfinite(values)]
    if len(defined) * 2 < len(values):
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)
