"""Types of the NumPy arrays that describe rows and cells, and samples of rows."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = npt.NDArray[np.int64]  # indexes of rows
Floats: TypeAlias = npt.NDArray[np.float64]
Truths: TypeAlias = npt.NDArray[np.bool_]


def evenly_spaced(count: int, most: int, *, nearest: bool = False) -> Rows:
    """Return the indexes of at most `most` of `count` rows, evenly spaced: the same in every call.

    Args:
        count: number of rows.
        most: number of rows to return.
        nearest: whether to round to the nearest row instead of down.
    """
    places = np.linspace(0, count - 1, min(most, count))
    return (places.round() if nearest else places).astype(np.int64)
