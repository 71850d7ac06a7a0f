"""Principal directions of a matrix, by a randomized decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

OVERSAMPLING, ROUNDS = 10, 4


def principal_directions(matrix: Any, count: int, seed: int) -> npt.NDArray[np.float32]:
    """Return the right singular vectors float32[f, c] of the largest singular values, c = `count` or fewer.

    Uses subspace iteration from a random start (Halko et al. 2011, arXiv:0909.4061). Vectors whose singular value is 0
    are left out.

    Args:
        matrix: float32[n, f], dense or sparse.
        count: largest number of vectors.
        seed: random seed of the start.
    """
    width = min(count + OVERSAMPLING, *matrix.shape)
    if not width:
        return np.zeros((matrix.shape[1], 0), np.float32)
    start = np.random.default_rng(seed).standard_normal((matrix.shape[1], width), dtype=np.float32)
    basis = np.linalg.qr(matrix @ start)[0]
    for _ in range(ROUNDS):
        basis = np.linalg.qr(matrix.T @ basis)[0]
        basis = np.linalg.qr(matrix @ basis)[0]
    vectors, values, _ = np.linalg.svd((matrix.T @ basis).astype(np.float64), full_matrices=False)
    real = values > 1e-6 * max(values.max(initial=0), 1e-12)
    return np.ascontiguousarray(vectors[:, real][:, :count], np.float32)
