"""Values far outside the range of the training rows, for which predictions are not reliable."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sensorium.findings import Problem, shorten
from sensorium.table import Column, Floats

Span = tuple[float, float]

FURTHER = 10.0  # multiples of the training range; tails of heavy-tailed distributions stay closer
CURE = "correct the cell, or empty it if the value stands for a missing one"


def span_of(values: Floats) -> Span | None:
    """Return the minimum and maximum of finite values; None if there are none."""
    return (float(values.min()), float(values.max())) if len(values) else None


def check_span(lowest: float | None, highest: float | None) -> None:
    """Raise ValueError if only one end is known, or if the minimum is above the maximum."""
    if (lowest is None) != (highest is None) or (lowest is not None and highest is not None and lowest > highest):
        raise ValueError(f"the range of the training values is invalid: {lowest} to {highest}")


def far_beyond(values: Floats, span: Span, *, least: float = 0.0) -> npt.NDArray[np.bool_]:
    """Return bool[n]: whether each value is outside the training range by more than ten times its width; False for NaN.

    Args:
        values: the values to check.
        span: minimum and maximum of the training values.
        least: used as the range if the training range is smaller.
    """
    low, high = (end / FURTHER for end in span)  # the largest floats have no finite multiple
    room = max(high - low, least / FURTHER)
    room = FURTHER * (room or max(abs(low), abs(high)))
    with np.errstate(over="ignore"):
        return (values / FURTHER - high > room) | (low - values / FURTHER > room)


def beyond_problems(column: Column, far: npt.NDArray[np.bool_], lowest: str, highest: str) -> list[Problem]:
    """Return one problem per value far outside the training range, whose ends are given as text."""
    reason = (
        f"the value is far outside the training range ({lowest} to {highest}), by more than {FURTHER:.0f} times "
        "its width: the prediction for this row is not reliable"
    )
    cells = column.strings if far.any() else None
    return [
        Problem(int(row), column.name, reason, CURE, shorten(cells[int(row)].as_py()))
        for row in np.flatnonzero(far)
        if cells is not None
    ]
