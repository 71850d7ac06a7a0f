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


def calibration_bias(gaps: Floats, bins: Rows, clusters: Rows) -> float:
    """Return how much larger Σ_b |gap of bin b| · share of b is on average than that of the population.

    The gap of a bin is normally distributed with its standard error, so its size has a folded normal distribution. Its
    square is too large by the squared error, which is subtracted before the bias is computed.

    Args:
        gaps: float64[m], correctness − confidence of each prediction.
        bins: int64[m], the bin of each prediction.
        clusters: int64[m], row or group of each prediction; clusters are independent.
    """
    _, place = np.unique(bins, return_inverse=True)
    counts = np.bincount(place).astype(np.float64)
    means = np.bincount(place, gaps) / counts
    left = gaps - means[place]
    pairs, pair = np.unique(place * (int(clusters.max()) + 1) + clusters, return_inverse=True)
    sums = np.bincount(pair, left)
    errors = np.sqrt(np.bincount(pairs // (int(clusters.max()) + 1), sums**2)) / counts
    sizes = np.sqrt((means**2 - errors**2).clip(0))
    return float((counts * (_folded_mean(sizes, errors) - sizes)).sum() / counts.sum())


def _folded_mean(sizes: Floats, errors: Floats) -> Floats:
    """Return the mean of |x| for normally distributed x with these means and standard deviations."""
    scale = np.where(errors > 0, errors, 1)
    ratios = sizes / scale
    found = scale * math.sqrt(2 / math.pi) * np.exp(-(ratios**2) / 2) + sizes * _ERF(ratios / math.sqrt(2))
    return np.where(errors > 0, found, sizes)
