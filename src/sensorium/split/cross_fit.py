"""Deal rows to folds for cross-fitting."""

from __future__ import annotations

import numpy as np

from sensorium.config import CALIBRATION_FOLDS
from sensorium.table import Rows


def cross_fit_folds(rows: int, groups: Rows | None, seed: int) -> Rows:
    """Deal rows to `CALIBRATION_FOLDS` random folds, int64[n]; all rows of a group are in one fold."""
    places = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    return (np.random.default_rng(seed).permutation(int(places.max(initial=-1)) + 1) % CALIBRATION_FOLDS)[places]
