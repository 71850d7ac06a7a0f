"""Mean and standard deviation of numbers of any size, without outliers, which are reported."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sensorium.findings import count
from sensorium.table import Floats

TINY = 1e-300  # below it, differences of values are too small to divide by
FARTHEST = 1e6  # standard deviations from the mean
FEWEST = 20  # fewest values for outlier detection
MOST_FAR = 0.01  # share of the values that may be outliers
SAMPLED = 10_000  # values that are checked first, to rule outliers out quickly
GAP, SPREADS = 100.0, 1000.0  # multiples of the distance of the others; of the interquartile range


def mean_and_deviation(values: Floats) -> tuple[float, float]:
    """Return mean and standard deviation of finite values of any size; 1 if they do not differ (or there are none)."""
    scale = float(np.abs(values).max(initial=0))
    if scale < TINY:
        return 0.0, 1.0
    deviation = scale * float((values / scale).std())
    return scale * float((values / scale).mean()), deviation if deviation > TINY else 1.0


def robust_mean_and_deviation(values: Floats) -> tuple[float, float, npt.NDArray[np.bool_]]:
    """Return mean and standard deviation of the values without outliers, and bool[n]: which values are outliers.

    Outliers are at most 1% of the values (at least one): a hundred times as far from the median as the farthest of the
    others, and a thousand times the interquartile range. So a long tail is not cut, but typing errors and codes for
    missing values such as 999999999 are outliers.
    """
    far = _far_off(values)
    mean, deviation = mean_and_deviation(values[~far] if far.any() else values)
    return mean, deviation, far


def _far_off(values: Floats) -> npt.NDArray[np.bool_]:
    """Return bool[n]: outliers; all False if the other values do not differ, since then there is no scale."""
    size, most = len(values), max(1, int(MOST_FAR * len(values)))
    if size < FEWEST:
        return np.zeros(size, bool)
    scale = float(np.abs(values).max()) or 1.0
    some = np.sort(values[:: max(1, size // SAMPLED)]) / scale
    spread = some[3 * len(some) // 4] - some[len(some) // 4]
    if max(values.max() / scale - some[0], some[-1] - values.min() / scale) < SPREADS / 2 * spread:
        return np.zeros(size, bool)  # clearly none, which saves sorting a million values
    ordered = np.sort(values) / scale
    low, middle, high = ordered[[size // 4, size // 2, 3 * size // 4]]
    ends = np.abs(np.concatenate([ordered[: most + 1], ordered[-most - 1 :]]) - middle)
    top = np.sort(ends)[-most - 1 :]  # the farthest of the others, then the candidates
    gaps = np.flatnonzero((top[:-1] > 0) & (top[1:] > GAP * top[:-1]) & (top[1:] > SPREADS * (high - low)))
    return np.abs(values / scale - middle) > top[gaps[0]] if len(gaps) else np.zeros(size, bool)


def standardise(values: Floats, mean: float | Floats, deviation: float | Floats) -> Floats:
    """Return (values − mean) / deviation, clipped to ±a million."""
    with np.errstate(over="ignore"):
        return np.clip(values / deviation - mean / deviation, -FARTHEST, FARTHEST)


def about_outliers(values: Floats, far: npt.NDArray[np.bool_], name: str) -> tuple[str, str]:
    examples = ", ".join(f"{value:.10g}" for value in list(dict.fromkeys(values[far].tolist()))[:3])
    some = f"{count(int(far.sum()), 'cell')} of {len(values):,} ({examples})"
    reason = f"outliers: {some} are more than {GAP:.0f} times as far from the median as all others"
    done = "the scale is learned from the other values, and outliers are clipped to the range of these"
    return (
        f"{reason}; {done}",
        f"correct typing errors; if these are codes in {name}, empty the cells or list the codes in table.missing",
    )
