"""Weights of a blend, fitted on predictions of rows that the members did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.table import Floats
from sensorium.tasks import Task, log_evidence, log_prior

SHRINKAGE = 10.0  # rows in favour of equal weights: few rows do not tell the members apart
LEAST = 0.02  # share of the weights below which a member is left out
NUMBERS = 2_000_000  # log-probabilities of all members that the fit uses at most, of rows at random
DIGITS = 6  # of a weight; the last bits depend on the library


def fit_weights(task: Task, scores: Sequence[Floats], truth: npt.NDArray[Any], prior: Sequence[float]) -> Floats:
    """Fit the weights of a blend (stacking with positive weights).

    Breiman (1996, "Stacked regressions") finds that non-negative weights generalize. For classes and labels, the log
    loss of `Task.pooled` is minimized; the weights have any sum. For numbers, the squared error is minimized by weights
    that sum to 1. Both are shrunk a little towards equal weights. Weights below `LEAST` become 0; the only member that
    is left has a weight of 1.

    Args:
        task: the task of the scores.
        scores: out-of-fold scores of each of m members, [n, ...]; NaN for amounts of members without a value.
        truth: encoded labels, [n, ...].
        prior: the scores of a row without any value in the model that the weights are for.

    Returns:
        float64[m]

    >>> from sensorium.blending._weights import fit_weights
    >>> from sensorium.registry import tasks
    >>> from sensorium.table import open_table
    >>> column = open_table({"price": [1.0, 2.0, 3.0, 4.0]}).column("price")
    >>> task, truth = tasks.load("regression").learn(column, "none"), np.array([1.0, 2.0, 3.0, 4.0] * 100)
    >>> fit_weights(task, [truth, truth[::-1]], truth, [2.5]).round(2).tolist()
    [1.0, 0.0]
    """
    if len(scores) == 1 or not len(truth):
        return np.full(len(scores), 1 / len(scores))
    weights = _of_evidence(scores, truth, prior) if task.labels else _of_values(_errors(scores, truth))
    kept = weights >= min(LEAST * weights.sum(), float(weights.max()))
    if kept.all():
        return weights
    found = np.zeros(len(scores))
    found[kept] = fit_weights(task, [own for own, keep in zip(scores, kept, strict=True) if keep], truth, prior)
    return found


def _errors(scores: Sequence[Floats], truth: npt.NDArray[Any]) -> Floats:
    """Return the errors [n, m]; where a member has no value, the mean error of the others, which count for it there."""
    errors = np.stack([own - truth for own in scores], 1)
    known = ~np.isnan(errors)
    if known.all():
        return errors
    mean = np.where(known, errors, 0).sum(1, keepdims=True) / np.maximum(known.sum(1, keepdims=True), 1)
    return np.where(known, errors, mean)


def _of_evidence(scores: Sequence[Floats], truth: npt.NDArray[Any], prior: Sequence[float]) -> Floats:
    """Minimize the log loss of the logarithmic opinion pool, which is convex in the weights."""
    from scipy.optimize import minimize

    evidence, base, own = _evidence(scores, truth, prior)
    rows, equal = np.arange(len(own)), np.full(len(scores), 1 / len(scores))
    strength = SHRINKAGE / len(own)

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = base + sum(weight * each for weight, each in zip(weights, evidence, strict=True))
        logits -= logits.max(1, keepdims=True)
        odds = np.exp(logits)
        sums = odds.sum(1, keepdims=True)
        odds /= sums
        value = float((np.log(sums[:, 0]) - logits[rows, own]).mean()) + strength * float(
            ((weights - equal) ** 2).sum()
        )
        slopes = [float(((odds * each).sum(1) - each[rows, own]).mean()) for each in evidence]
        return value, np.array(slopes) + 2 * strength * (weights - equal)

    found = minimize(loss, equal, jac=True, bounds=[(0, None)] * len(scores), method="L-BFGS-B").x.round(DIGITS)
    if found.any():
        return np.asarray(found, np.float64)
    best = int(np.argmin([loss(row)[0] for row in np.eye(len(scores))]))  # no evidence: the calibration deals with it
    return np.eye(len(scores))[best]


def _evidence(
    scores: Sequence[Floats], truth: npt.NDArray[Any], prior: Sequence[float]
) -> tuple[list[Floats], Floats, npt.NDArray[np.int64]]:
    """Return the evidence of each member [n, k], the log of the prior [n or 1, k], and the classes [n].

    Each label of a multilabel task is a case of two classes.
    """
    most = max(1, NUMBERS // (scores[0][0].size * len(scores)))
    if most < len(truth):
        rows = np.sort(np.random.default_rng(0).permutation(len(truth))[:most])
        truth, scores = truth[rows], [own[rows] for own in scores]
    shares = np.asarray(prior, np.float64)
    if truth.ndim == 1:
        return [log_evidence(own, shares) for own in scores], log_prior(shares)[None], truth.astype(np.int64)
    both = np.stack([1 - shares, shares], -1)
    evidence = [log_evidence(np.stack([1 - own, own], -1), both).reshape(-1, 2) for own in scores]
    return evidence, np.tile(log_prior(both), (len(truth), 1)), (truth > 0).ravel().astype(np.int64)


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
