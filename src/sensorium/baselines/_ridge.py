"""Ridge regression for several penalties and targets at the cost of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from sensorium.table import Floats

LARGE = 2500  # the smaller side of a matrix, above which each penalty is solved by iteration instead


class Ridge:
    """Ridge regressions on one matrix.

    The smaller of XᵀX and XXᵀ is decomposed once (Hastie et al. 2009, "The Elements of Statistical Learning", 18.3.5).

    Args:
        matrix: float64[n, f], dense or sparse.
    """

    def __init__(self, matrix: Any) -> None:
        self._matrix = matrix
        self._middle = np.asarray(matrix.mean(0), np.float64).ravel()

    def path(self, target: Floats, penalties: Sequence[float]) -> Iterator[tuple[Floats, Floats]]:
        """Yield coefficients [1, f] and intercept [1] for each penalty α of Σ (y − Xw − b)² + α‖w‖².

        Args:
            target: float64[n].
            penalties: in any order.
        """
        level = float(target.mean())
        for found in self._coefficients(target - level, penalties):
            yield found[None], np.array([level - float(self._middle @ found)])

    def _coefficients(self, target: Floats, penalties: Sequence[float]) -> Iterator[Floats]:
        matrix = self._matrix
        if min(matrix.shape) > LARGE:
            yield from _iterated(matrix, self._middle, target, penalties)
            return
        values, vectors = self._decomposed
        if matrix.shape[1] <= matrix.shape[0]:
            turned = np.asarray(matrix.T @ target, np.float64)  # the centre drops out, as the target has mean 0
            projected = vectors.T @ turned
            yield from (vectors @ (projected / (values.clip(0) + penalty)) for penalty in penalties)
            return
        projected = vectors.T @ target
        for penalty in penalties:
            dual = vectors @ (projected / (values.clip(0) + penalty))
            yield np.asarray(matrix.T @ dual, np.float64) - self._middle * dual.sum()

    @cached_property
    def _decomposed(self) -> tuple[Floats, Floats]:
        """Return eigenvalues and eigenvectors of the smaller of the two products of the centred matrix."""
        matrix, middle = self._matrix, self._middle
        rows, width = matrix.shape
        if width <= rows:
            gram = _dense(matrix.T @ matrix) - rows * np.outer(middle, middle)
        else:
            along = np.asarray(matrix @ middle, np.float64)
            gram = _dense(matrix @ matrix.T) - along[:, None] - along + float(middle @ middle)
        found = np.linalg.eigh(gram)
        return found.eigenvalues, found.eigenvectors


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
