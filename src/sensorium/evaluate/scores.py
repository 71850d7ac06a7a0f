"""Resample the rows of an outcome, and score several runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from sensorium.evaluate.bootstrap import CELLS, MANY_CELLS, resamples
from sensorium.metrics import Outcome, has_many_classes, score
from sensorium.table import Floats


def resamples_of(outcome: Outcome, seed: int = 0) -> Iterator[Floats]:
    """Yield weightings of the rows of an outcome, in larger blocks for many classes."""
    outcomes = [outcome, *(part.outcome for part in outcome.parts.values())]
    cells = MANY_CELLS if any(map(has_many_classes, outcomes)) else CELLS
    return resamples(len(outcome), seed=seed, cells=cells)


def score_runs(name: str, runs: Sequence[Outcome], weights: Floats, picks: npt.NDArray[np.int64]) -> Floats:
    """Compute the mean metric over the selected runs, [r], for each of r weightings of the rows."""
    values = np.stack([score(name, run, weights) for run in runs])  # (runs, r)
    return np.asarray(np.take_along_axis(values, picks, 0).mean(0), np.float64)
