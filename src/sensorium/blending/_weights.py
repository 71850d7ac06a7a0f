"""Weights of a blend, fitted on predictions of rows that the members did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.metrics import SMALLEST
from sensorium.table import Floats
from sensorium.tasks import Task

ROUNDS = 500  # of the EM algorithm, at most
STILL = 1e-7  # change of the weights at which it stops
SHRINKAGE = 10.0  # rows in favour of equal weights: few rows do not tell the members apart
LEAST = 0.02  # weight below which a member is left out


def fit_weights(task: Task, scores: Sequence[Floats], truth: npt.NDArray[Any]) -> Floats:
    """Fit the weights of a blend (linear stacking with weights that are positive and sum to 1).

    Breiman (1996, "Stacked regressions") finds that non-negative weights generalize. For classes and labels, the log
    loss of the mixture is minimized by the EM algorithm; for numbers, the squared error. Both are shrunk a little
    towards equal weights. Weights below `LEAST` become 0.

    Args:
        task: the task of the scores.
        scores: out-of-fold scores of each of m members, [n, ...].
        truth: encoded labels, [n, ...].

    Returns:
        float64[m]

    >>> from sensorium.blending._weights import fit_weights
    >>> from sensorium.registry import tasks
    >>> from sensorium.table import open_table
    >>> column = open_table({"price": [1.0, 2.0, 3.0, 4.0]}).column("price")
    >>> task, truth = tasks.load("regression").learn(column, "none"), np.array([1.0, 2.0, 3.0, 4.0] * 100)
    >>> fit_weights(task, [truth, truth[::-1]], truth).round(2).tolist()
    [1.0, 0.0]
    """
    if len(scores) == 1 or not len(truth):
        return np.full(len(scores), 1 / len(scores))
    fit = _of_probabilities if task.labels else _of_values
    weights = fit(_of_truth(task, scores, truth))
    kept = weights >= min(LEAST, float(weights.max()))
    if kept.all():
        return weights
    found = np.zeros(len(scores))
    found[kept] = fit_weights(task, [own for own, keep in zip(scores, kept, strict=True) if keep], truth)
    return found


def _of_truth(task: Task, scores: Sequence[Floats], truth: npt.NDArray[Any]) -> Floats:
    """Return [rows, m]: probabilities of the true labels, or errors of numbers."""
    if not task.labels:
        return np.stack([own - truth for own in scores], 1)
    if truth.ndim == 2:
        return np.stack([np.where(truth > 0, own, 1 - own).ravel() for own in scores], 1)
    rows = np.arange(len(truth))
    return np.stack([own[rows, truth.astype(np.int64)] for own in scores], 1)


def _of_probabilities(given: Floats) -> Floats:
    """Maximize the likelihood of a mixture of the members by the EM algorithm (Dempster et al. 1977)."""
    given, count = given.clip(SMALLEST), given.shape[1]
    weights = np.full(count, 1 / count)
    for _ in range(ROUNDS):
        shares = given * weights
        shares /= shares.sum(1, keepdims=True)
        after = (shares.sum(0) + SHRINKAGE / count) / (len(given) + SHRINKAGE)
        still = np.abs(after - weights).max() < STILL
        weights = after
        if still:
            break
    return weights


def _of_values(errors: Floats) -> Floats:
    """Minimize the squared error of the weighted sum, over positive weights that sum to 1.

    The sum is a heavy row of the least squares problem (Lawson and Hanson 1974), the shrinkage a few light ones.
    """
    from scipy.optimize import nnls

    count = errors.shape[1]
    errors = errors / (float(np.abs(errors).max(initial=0)) or 1.0)
    moments = errors.T @ errors  # the error of the blend is a quadratic form of the weights
    moments *= len(errors) / (float(np.trace(moments)) or 1.0) * count  # errors of the usual size count 1
    moments += SHRINKAGE * np.eye(count)
    root = np.linalg.cholesky(moments + 1e-9 * np.trace(moments) * np.eye(count)).T
    heavy = 1e4 * float(np.abs(root).max())
    system = np.vstack([root, np.full((1, count), heavy)])
    weights = nnls(system, np.r_[np.zeros(count), heavy])[0]
    return np.asarray(weights / weights.sum(), np.float64)
