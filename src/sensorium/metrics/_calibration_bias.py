"""Bias of calibration errors.

The gap |accuracy − confidence| of a bin is not 0 in a sample of a calibrated model: chance alone makes it positive. The
sum over bins is therefore too large, and resamples, whose gaps are due to chance twice, do not show by how much.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sensorium.table import Floats, Rows

_ERF: Callable[..., Floats] = np.vectorize(math.erf, otypes=[np.float64])
MEAN = math.sqrt(2 / math.pi)  # of |x| for standard normal x
ONE_SIDED = 1.959964  # 97.5% of a normal distribution lie below it


def calibration_bias(gaps: Floats, bins: Rows, clusters: Rows) -> tuple[float, float]:
    """Return by how much Σ_b |gap of bin b| · share of b exceeds that of the population on average, at least and most.

    The gap of a bin is normally distributed with its standard error, so its size has a folded normal distribution. Its
    bias is the larger the smaller the gap of the population is, which is not known: that of the sample is too large on
    average, and its square minus the squared error (0 at least) too small. If the sum is not larger than chance makes
    it in 97.5% of the samples of a calibrated model, all of it may be bias.

    Args:
        gaps: float64[m], correctness − confidence of each prediction.
        bins: int64[m], the bin of each prediction.
        clusters: int64[m], row or group of each prediction; clusters are independent.
    """
    shares, means, errors = _measure_bins(gaps, bins, clusters)
    least, most = (
        float((shares * (_folded_mean(sizes, errors) - sizes)).sum())
        for sizes in (means, np.sqrt((means**2 - errors**2).clip(0)))
    )
    value, chance = float((shares * means).sum()), MEAN * float((shares * errors).sum())
    spread = math.sqrt((1 - MEAN**2) * float((shares**2 * errors**2).sum()))
    return least, value if value <= chance + ONE_SIDED * spread else most


def _measure_bins(gaps: Floats, bins: Rows, clusters: Rows) -> tuple[Floats, Floats, Floats]:
    """Return the share of the predictions in each bin, the size of its gap, and the standard error of its gap."""
    _, place = np.unique(bins, return_inverse=True)
    counts = np.bincount(place).astype(np.float64)
    means = np.bincount(place, gaps) / counts
    width = int(clusters.max()) + 1
    pairs, pair = np.unique(place * width + clusters, return_inverse=True)
    sums = np.bincount(pair, gaps - means[place])
    number = np.bincount(pairs // width).astype(np.float64)  # clusters of the bin
    squares = np.bincount(pairs // width, sums**2) * number / np.maximum(number - 1, 1)
    sizes = np.abs(means)
    return counts / counts.sum(), sizes, np.where(number > 1, np.sqrt(squares) / counts, sizes)


def _folded_mean(sizes: Floats, errors: Floats) -> Floats:
    """Return the mean of |x| for normally distributed x with these means and standard deviations."""
    scale = np.where(errors > 0, errors, 1)
    ratios = sizes / scale
    found = scale * MEAN * np.exp(-(ratios**2) / 2) + sizes * _ERF(ratios / math.sqrt(2))
    return np.where(errors > 0, found, sizes)
