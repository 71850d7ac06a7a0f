"""Ridge regression for several penalties at the cost of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sensorium.table import Floats

LARGE = 2500  # the smaller side of a matrix, above which each penalty is solved by iteration instead


def ridge_path(matrix: Any, target: Floats, penalties: Sequence[float]) -> Iterator[tuple[Floats, Floats]]:
    """Yield coefficients [1, f] and intercept [1] for each penalty α of Σ (y − Xw − b)² + α‖w‖².

    The smaller of XᵀX and XXᵀ is decomposed once (Hastie et al. 2009, "The Elements of Statistical Learning", 18.3.5).

    Args:
        matrix: float64[n, f], dense or sparse.
        target: float64[n].
        penalties: in any order.
    """
    middle = np.asarray(matrix.mean(0), np.float64).ravel()
    level = float(target.mean())
    for found in _coefficients(matrix, middle, target - level, penalties):
        yield found[None], np.array([level - float(middle @ found)])


def _coefficients(matrix: Any, middle: Floats, target: Floats, penalties: Sequence[float]) -> Iterator[Floats]:
    if min(matrix.shape) > LARGE:
        yield from _iterated(matrix, middle, target, penalties)
        return
    rows, width = matrix.shape
    turned = np.asarray(matrix.T @ target, np.float64)  # the centre drops out, as the target has mean 0
    if width <= rows:
        values, vectors = np.linalg.eigh(_dense(matrix.T @ matrix) - rows * np.outer(middle, middle))
        projected = vectors.T @ turned
        yield from (vectors @ (projected / (values.clip(0) + penalty)) for penalty in penalties)
        return
    along = np.asarray(matrix @ middle, np.float64)
    gram = _dense(matrix @ matrix.T) - along[:, None] - along + float(middle @ middle)
    values, vectors = np.linalg.eigh(gram)
    projected = vectors.T @ target
    for penalty in penalties:
        dual = vectors @ (projected / (values.clip(0) + penalty))
        yield np.asarray(matrix.T @ dual, np.float64) - middle * dual.sum()


def _iterated(matrix: Any, middle: Floats, target: Floats, penalties: Sequence[float]) -> Iterator[Floats]:
    from scipy.sparse.linalg import LinearOperator, lsqr

    centred = LinearOperator(
        matrix.shape,
        matvec=lambda vector: matrix @ vector - float(middle @ vector.ravel()),
        rmatvec=lambda vector: matrix.T @ vector - middle * float(vector.sum()),
        dtype=np.float64,
    )
    for penalty in penalties:
        yield lsqr(centred, target, damp=float(np.sqrt(penalty)), atol=1e-5, btol=1e-5)[0]


def _dense(matrix: Any) -> Floats:
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, np.float64)
