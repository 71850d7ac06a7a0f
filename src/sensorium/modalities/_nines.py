"""Numbers of nines, such as -999 and -99.9, that lie outside of the other numbers."""

from __future__ import annotations

import numpy as np

from sensorium.modalities._outside import far_outside, only_negative
from sensorium.table import Floats, Truths

# How many ranges of the others a value lies outside of them. A price of 999 is plausible, -99.9 or 9999 hardly ever.
NEGATIVE, LONG_NINES, SHORT_NINES, ZEROS, DATE_RANGES = 1.0, 2.0, 3.0, 3.0, 1.0
SMALLEST, LONG, LARGEST = 99.0, 999.0, 10.0**15 - 1  # of nines; the limit from which positive ones are long
PLACES = (0, 1)  # decimals of nines, such as -99.9; 99.99 is a price
EXACT = 0.01  # -99.9 in 32 bits is -99.9000015
HALF = 0.5


def find_nines(values: Floats) -> Truths:
    """Return bool[n]: -9, -99, 999, -99.9 and the like; a 9 alone is a regular value."""
    found = values == -9
    size = np.abs(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.where((size >= SMALLEST) & (size <= LARGEST), size, np.nan)
        for places in PLACES:
            digits = size * 10.0**places
            found |= np.abs(10.0 ** np.round(np.log10(digits + 1)) - 1 - digits) <= EXACT
    return found


def apart_nines(others: Floats, values: Floats) -> Truths:
    """Return bool[n]: nines that lie outside of the others."""
    long, short = (far_outside(others, values, ranges) for ranges in (LONG_NINES, SHORT_NINES))
    above = np.where(values > LONG, long, short) & (not are_prices(others))
    below = far_outside(others, values, NEGATIVE) | only_negative(others, values)
    return np.asarray(np.where(values < 0, below, above))


def are_prices(values: Floats) -> bool:
    """Return whether most values end in 9, like 19.99 and 199."""
    with np.errstate(over="ignore", invalid="ignore"):
        ends = [np.mod(np.round(values * power), 10) == 9 for power in (1, 100)]
    return bool(len(values) and np.logical_or(*ends).mean() > HALF)
