"""Metrics that are ratios of sums over rows, and so have better intervals than the bootstrap's percentiles.

The file of a proportion of rows has a function `trials(outcome)`, which returns the rows that are correct, bool[n], and
the rows that count, bool[n] or None for all: its interval is Wilson's. The file of another ratio has a function
`terms(outcome)`, which returns what the rows add to its numerator and to its denominator, float64[n], None for 1, and
`of_ratio`, if the metric is a monotonic function of the ratio: its interval is that of the studentized bootstrap.
"""

from __future__ import annotations

import numpy as np

from sensorium.metrics._base import Trials
from sensorium.metrics._means import divide
from sensorium.table import Floats


def share_of_trials(trials: Trials, weights: Floats) -> Floats:
    """Return the weighted share of correct rows among those that count: [r]; NaN if none counts."""
    right, counted = trials
    if counted is None:
        return divide(weights @ right.astype(np.float64), weights.sum(1))
    return divide(weights @ (right & counted).astype(np.float64), weights @ counted.astype(np.float64))
