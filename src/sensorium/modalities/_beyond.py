"""Values so far beyond those of the training rows that a model has seen nothing like them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sensorium.findings import Problem, shorten
from sensorium.table import Column

Floats = npt.NDArray[np.float64]
Span = tuple[float, float]

FURTHER = 10.0  # times the range of the training rows; a heavy tail goes on less far
CURE = "correct the cell, or empty it if it stands for a missing value"


def span_of(values: Floats) -> Span | None:
    """The lowest and the highest of finite values; None where there are none."""
    return (float(values.min()), float(values.max())) if len(values) else None


def check_span(lowest: float | None, highest: float | None) -> None:
    """Raise ValueError where only one end is known, or the lowest value is above the highest one."""
    if (lowest is None) != (highest is None) or (lowest is not None and highest is not None and lowest > highest):
        raise ValueError(f"the training values run from {lowest} to {highest}")


def far_beyond(values: Floats, span: Span, *, least: float = 0.0) -> npt.NDArray[np.bool_]:
    """bool[n]: which values lie more than ten times the range outside of it; NaN does not.

    Args:
        values: of some cells.
        span: the lowest and the highest training value.
        least: taken as the range where the training values differ by less.
    """
    low, high = (end / FURTHER for end in span)  # the largest floats have no multiple
    room = max(high - low, least / FURTHER)
    room = FURTHER * (room or max(abs(low), abs(high)))
    with np.errstate(over="ignore"):
        return (values / FURTHER - high > room) | (low - values / FURTHER > room)


def beyond_problems(column: Column, far: npt.NDArray[np.bool_], lowest: str, highest: str) -> list[Problem]:
    """One problem for each value that lies far beyond the training rows, whose ends are given as text."""
    reason = (
        f"more than {FURTHER:.0f} times the range of the training values ({lowest} to {highest}) away from them: "
        "the answer for this row is not reliable"
    )
    cells = column.strings if far.any() else None
    return [
        Problem(int(row), column.name, reason, CURE, shorten(cells[int(row)].as_py()))
        for row in np.flatnonzero(far)
        if cells is not None
    ]
