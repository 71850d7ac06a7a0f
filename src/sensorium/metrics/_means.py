"""Arithmetic that several metrics share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.table import Floats

LARGE = 1e100  # numbers beyond it have squares that may be infinite, and those below 1 / LARGE squares that may be 0


def mean_of_rows(values: npt.NDArray[Any], weights: Floats) -> Floats:
    """Return the weighted mean: [n] → [r]."""
    return divide(weights @ values.astype(np.float64), weights.sum(1))


def divide(above: Floats, below: Floats) -> Floats:
    """Return above / below, NaN where below is 0."""
    return np.divide(above, below, out=np.full(np.broadcast_shapes(above.shape, below.shape), np.nan), where=below != 0)


def mean_of_defined(values: Sequence[Floats] | Floats) -> Floats:
    """Return the mean over the defined values: [r] each → [r]."""
    table = np.asarray(values)
    there = np.isfinite(table)
    return divide(np.where(there, table, 0).sum(0), there.sum(0).astype(np.float64))


def safe_unit(*values: Floats) -> float:
    """Return the largest size of some values if their squares could overflow or underflow, else 1: a divisor."""
    largest = max(float(np.abs(some).max(initial=0)) for some in values)
    return largest if largest > LARGE or 0 < largest < 1 / LARGE else 1.0


def with_safe_squares(*values: Floats) -> list[Floats]:
    """Divide values by their `safe_unit`; return the values and the divisor, [1]."""
    unit = safe_unit(*values)
    return [*(some / unit for some in values), np.array([unit])]
