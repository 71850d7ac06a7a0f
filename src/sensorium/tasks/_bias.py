"""Errors of a regression on the transformed scale, which turn its predictions into means of the target."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from sensorium.table import Floats

FEWEST = 500  # rows whose errors stand for the distribution of all errors; of fewer, a normal distribution is fitted
POINTS = 100  # of the distribution of errors
SMALLEST = 1e-12  # deviation of the normal distribution


def error_points(errors: Floats) -> list[float]:
    """Return points of equal weight that represent the distribution of errors, in ascending order.

    The mean of the inverse transform over a prediction plus each of these errors is the smearing estimate of Duan
    1983, "Smearing estimate: a nonparametric retransformation method". Its standard error is large with few rows: from
    fewer than `FEWEST` errors, the points are quantiles of a normal distribution with their deviation. Its mean is
    theirs, shrunk towards 0, the mean error of the training rows (James and Stein 1961).

    Args:
        errors: truth − prediction on the transformed scale, of rows that did not train the model where there are some.
    """
    if len(errors) < 2:
        return []
    if len(errors) >= FEWEST:
        return [float(part.mean()) for part in np.array_split(np.sort(errors), POINTS)]
    size = float(np.abs(errors).max()) or 1.0  # squares of huge errors overflow
    errors = errors / size
    mean, deviation = float(errors.mean()), max(float(errors.std(ddof=1)), SMALLEST / size)
    shrunk = mean * max(0.0, 1 - deviation**2 / len(errors) / mean**2) if size * abs(mean) > SMALLEST else 0.0
    normal = NormalDist(shrunk, deviation)
    return [size * normal.inv_cdf((place + 0.5) / POINTS) for place in range(POINTS)]
