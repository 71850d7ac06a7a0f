"""Bootstrap: how much a metric varies between samples of rows (Efron and Tibshirani 1993)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sensorium.table import Floats, Rows

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
    return _draw(rows, rows, count, seed, max(1, cells // max(1, rows)))


def group_resamples(groups: Rows, count: int = RESAMPLES, seed: int = 0, *, cells: int = CELLS) -> Iterator[Floats]:
    """Yield blocks float64[r, rows] with the number of times that each row is drawn, groups as a whole.

    One group fewer than there are is drawn, for the reason given in `pick_runs`. A single group cannot be resampled:
    the only block is then a resample without rows, for which no metric is defined.

    Args:
        groups: int64[n] group of each row.
        count, seed, cells: as in `resamples`.
    """
    places = np.unique(groups, return_inverse=True)[1]
    number = int(places.max(initial=-1)) + 1
    if number < 2:
        yield np.zeros((1, len(groups)))
        return
    for counts in _draw(number, number - 1, count, seed, max(1, cells // len(groups))):
        yield counts[:, places]


def _draw(kinds: int, draws: int, count: int, seed: int, block: int) -> Iterator[Floats]:
    """Yield blocks float64[r, kinds]: how often each of the kinds is drawn in `draws` draws with replacement."""
    random = np.random.default_rng(seed)
    for start in range(0, count, block):
        size = min(block, count - start)
        drawn = random.integers(0, kinds, (size, draws))
        drawn += kinds * np.arange(size)[:, None]  # each resample counts in a range of its own
        yield np.bincount(drawn.ravel(), minlength=size * kinds).reshape(size, kinds).astype(np.float64)


def pick_runs(runs: int, draws: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw runs with replacement, int64[k, draws]: one fewer than the number of runs (or the only one).

    The mean of n runs drawn from n has only (n - 1)/n of the variance of the mean of n runs. Drawing n - 1 runs
    corrects this (Rao and Wu 1988).
    """
    return random.integers(0, runs, (runs - 1, draws)) if runs > 1 else np.zeros((1, draws), np.int64)


def correct_bias(drawn: Floats, value: float) -> Floats:
    """Shift bootstrapped values by twice their bias: the difference of their median to the value on all rows.

    Classes with few rows are absent from resamples or consist of copies, which biases macro means, average precision
    and calibration errors: with many such classes, all bootstrapped values can lie on one side of the value. Rows are a
    sample, too, so the value has a similar bias. The first shift removes the bias of the resamples, the second one that
    of the value. Endpoints are those of the bias-corrected percentile interval (Efron 1981) of values that are normally
    distributed; unlike those, they exist for any bias. Metrics without bias, such as accuracy, stay as they are.

    Differences of two models are not corrected: their biases cancel if the models are equally good, and corrected
    intervals exclude 0 too often.
    """
    defined = drawn[np.isfinite(drawn)]
    return drawn - 2 * (np.median(defined) - value) if len(defined) and np.isfinite(value) else drawn


def interval_around(drawn: Floats, value: float) -> tuple[float, float]:
    """Compute the percentile interval of bootstrapped values, extended to contain the value on all rows."""
    low, high = interval(drawn)
    return min(low, value), max(high, value)


def interval(values: Floats, level: float = LEVEL) -> tuple[float, float]:
    """Compute the percentile interval of bootstrapped values; NaN if fewer than half of them are defined."""
    defined = values[np.isfinite(values)]
    if len(defined) * 2 < len(values):
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)
