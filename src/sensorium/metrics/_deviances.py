"""Deviances of rows."""

from __future__ import annotations

import numpy as np

from sensorium.table import Floats

SMALLEST = 1e-12  # smallest mean; lower predictions are raised to it


def poisson_deviances(truth: Floats, means: Floats) -> Floats:
    """Return 2 · (y·log(y / μ) − y + μ) of each row, float64[n]; it is 2μ for a count of 0."""
    truth, means = np.asarray(truth, np.float64), np.maximum(means, SMALLEST)
    logs = np.log(np.where(truth > 0, truth, means) / means)
    return np.asarray(2 * (truth * logs - truth + means), np.float64)
