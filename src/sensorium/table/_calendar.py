"""Days of the calendar."""

from __future__ import annotations

import numpy as np

from sensorium.table._arrays import Floats

DAY = 86_400.0  # seconds


def days_of(year: Floats, month: Floats, day: Floats) -> Floats:
    """Return days since 1970, NaN if the calendar has no such day."""
    found = np.full(len(year), np.nan)
    with np.errstate(invalid="ignore"):
        fits = (year >= 1) & (year <= 9999) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    rows = np.flatnonzero(fits)
    months = ((year[rows] - 1970) * 12 + month[rows] - 1).astype(np.int64).astype("datetime64[M]")
    begins, ends = ((months + step).astype("datetime64[D]").astype(np.int64) for step in (0, 1))
    found[rows] = np.where(begins + day[rows] <= ends, begins + day[rows] - 1, np.nan)
    return found
