"""Principal directions of a matrix, by a randomized decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

COMPONENTS = 100  # at most
ROUNDING = 1e-3  # by which rounding may lengthen a direction, which has length 1
SMALLEST = 1e-6  # singular value, as a share of the largest one, below which a direction is left out


def principal_directions(matrix: Any, count: int, seed: int) -> npt.NDArray[np.float32]:
    """Return the right singular vectors float32[f, c] of the largest singular values, c = `count` or fewer.

    Uses the randomized decomposition of Halko et al. 2011 (arXiv:0909.4061). Vectors whose singular value is 0 are left
    out.

    Args:
        matrix: float32[n, f], dense or sparse.
        count: largest number of vectors.
        seed: random seed of the start.
    """
    from sklearn.utils.extmath import randomized_svd

    width = min(count, *matrix.shape)
    if not width:
        return np.zeros((matrix.shape[1], 0), np.float32)
    _, values, vectors = randomized_svd(matrix, width, random_state=seed % 2**32)
    real = values > SMALLEST * max(values.max(initial=0), 1e-12)
    return np.ascontiguousarray(vectors[real].T, np.float32)


def check_directions(directions: npt.NDArray[np.float32], width: int) -> None:
    """Check saved directions [f, c] of `width` numbers.

    Raises:
        ValueError: they are not such as `principal_directions` returns.
    """
    if directions.ndim != 2 or len(directions) != width:
        raise ValueError(f"directions of the shape {directions.shape} for {width} numbers")
    if directions.shape[1] > COMPONENTS:  # an empty array may claim any width
        raise ValueError(f"{directions.shape[1]} components")
    if bool((np.abs(directions) > 1 + ROUNDING).any()):
        raise ValueError("a component is out of range")
