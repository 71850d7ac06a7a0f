"""Score several runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sensorium.metrics import Outcome, score
from sensorium.table import Floats


def score_runs(name: str, runs: Sequence[Outcome], weights: Floats, picks: npt.NDArray[np.int64]) -> Floats:
    """Compute the mean metric over the selected runs, [r], for each of r weightings of the rows."""
    values = np.stack([score(name, run, weights) for run in runs])  # (runs, r)
    return np.asarray(np.take_along_axis(values, picks, 0).mean(0), np.float64)
