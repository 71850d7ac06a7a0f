"""Expected calibration error in 15 bins of equally many rows (Nguyen and O'Connor 2015; Nixon et al. 2019)."""

from __future__ import annotations

import numpy as np

from sensorium.metrics._base import Outcome
from sensorium.metrics._calibration_bias import calibration_bias
from sensorium.metrics._confidence import cluster_predictions, confidences
from sensorium.metrics._means import divide
from sensorium.table import Floats, Rows

TASKS = ("class probabilities",)
BEST = 0.0
WORST = 1.0
LOWER_IS_BETTER = True
BINS = 15
CELLS = 1_000_000  # weights of sorted predictions at a time: 8 MB


def ece_adaptive(outcome: Outcome, weights: Floats) -> Floats:
    """Sort predictions by confidence, cut them into bins of equal weight, and average |accuracy − confidence|.

    Confidence is that of `ece`: the probability of the predicted class; in multilabel, of each label. Predictions of
    equal confidence that an edge divides are shared between its bins, so their order does not matter.
    """
    confidence, right = confidences(outcome)
    order = np.argsort(confidence, axis=None, kind="stable")
    rows, gaps = order // confidence.shape[1], (right - confidence).ravel()[order]
    starts = np.flatnonzero(np.diff(confidence.ravel()[order], prepend=-1.0))  # of equal confidences
    step = max(1, CELLS // len(order))
    parts = [weights[start : start + step] for start in range(0, len(weights), step)]
    return np.concatenate([_errors(part[:, rows], gaps, starts) for part in parts])


def bias(outcome: Outcome) -> tuple[float, float]:
    """Return how much too large the value is on average, at least and at most."""
    confidence, right = confidences(outcome)
    order = np.argsort(confidence, axis=None, kind="stable")
    clusters = cluster_predictions(outcome, confidence.shape[1])[order]
    return calibration_bias((right - confidence).ravel()[order], np.arange(len(order)) * BINS // len(order), clusters)


def _errors(weights: Floats, gaps: Floats, starts: Rows) -> Floats:
    """Compute Σ_b |G(b) − G(b − 1)| / W; G is the sum of weighted gaps up to the end of a bin, W the total weight."""
    shape = len(weights), 1
    mass = np.hstack([np.zeros(shape), np.add.reduceat(weights, starts, axis=1).cumsum(1)])
    sums = np.hstack([np.zeros(shape), np.add.reduceat(weights * gaps, starts, axis=1).cumsum(1)])
    edges = mass[:, -1:] * (np.arange(1, BINS) / BINS)
    inner = _interpolate(edges, mass, sums)
    errors = np.abs(np.diff(np.hstack([np.zeros(shape), inner, sums[:, -1:]]), axis=1)).sum(1)
    return divide(errors, mass[:, -1])


def _interpolate(at: Floats, places: Floats, values: Floats) -> Floats:
    """Interpolate linearly in each row: float64[r, m] values at `at`, between rising places [r, g] and their values."""
    rows = np.arange(len(places))[:, None]
    scale = 2 * np.where(places[:, -1:] > 0, places[:, -1:], 1)
    lined_up = (places / scale + rows).ravel()  # rows lie one after another, so that one search serves all of them
    above = np.searchsorted(lined_up, (at / scale + rows).ravel()).reshape(at.shape) - rows * places.shape[1]
    above = np.clip(above, 1, places.shape[1] - 1)
    low, high, start, end = (
        np.take_along_axis(array, place, 1) for array in (places, values) for place in (above - 1, above)
    )
    share = np.divide(at - low, high - low, out=np.zeros_like(at), where=high > low)
    return np.asarray(start + share.clip(0, 1) * (end - start), np.float64)
