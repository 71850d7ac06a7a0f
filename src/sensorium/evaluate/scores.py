"""Resample the rows or groups of an outcome, and score several runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from sensorium.evaluate.bootstrap import CELLS, MANY_CELLS, group_resamples, resamples
from sensorium.metrics import Outcome, best_value, has_many_classes, lower_is_better, score, worst_value
from sensorium.table import Floats


def resamples_of(outcome: Outcome, seed: int = 0) -> Iterator[Floats]:
    """Yield weightings of the rows of an outcome: resampled groups if it has groups, else resampled rows.

    Blocks are larger for many classes.
    """
    outcomes = [outcome, *(part.outcome for part in outcome.parts.values())]
    cells = MANY_CELLS if any(map(has_many_classes, outcomes)) else CELLS
    if outcome.groups is not None:
        return group_resamples(outcome.groups, seed=seed, cells=cells)
    return resamples(len(outcome), seed=seed, cells=cells)


def score_runs(name: str, runs: Sequence[Outcome], weights: Floats, picks: npt.NDArray[np.int64]) -> Floats:
    """Compute the mean metric over the selected runs, [r], for each of r weightings of the rows."""
    values = np.stack([score(name, run, weights) for run in runs])  # (runs, r)
    return np.asarray(np.take_along_axis(values, picks, 0).mean(0), np.float64)


def clip_interval(name: str, low: float, high: float) -> tuple[float, float]:
    """Return the interval of a metric, cut at its best and worst possible values."""
    bounds = (best_value(name), worst_value(name))
    least, most = reversed(bounds) if not lower_is_better(name) else bounds
    return max(low, -math.inf if least is None else least), min(high, math.inf if most is None else most)
