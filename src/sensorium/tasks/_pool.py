"""Combine the probabilities of several models by their evidence beside the prior."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensorium.table import Floats

FLOOR = 1e-6  # probability below which a model gives no more evidence: one that is sure must not overrule all others


def log_evidence(probabilities: Floats, prior: Floats) -> Floats:
    """Return log p − log prior, [..., k] for a prior [k]."""
    return np.asarray(log_prior(probabilities) - log_prior(prior))


def log_prior(prior: Floats) -> Floats:
    """Return the logarithm of probabilities of `FLOOR` at least."""
    return np.asarray(np.log(np.maximum(prior, FLOOR)))


def pool(scores: Sequence[Floats], weights: Sequence[float | Floats], prior: Floats) -> Floats:
    """Return the logarithmic opinion pool of probabilities (Bordley 1982).

    The probabilities are p ∝ prior · Π (p_m / prior)^weight.

    Args:
        scores: of each of m models, float64[..., k]; the last axis holds classes that exclude one another.
        weights: of each model, a number or an array of the first axes of the scores.
        prior: class frequencies, float64[..., k].

    >>> from sensorium.tasks._pool import pool
    >>> image, audio = np.array([[0.8, 0.2]]), np.array([[0.8, 0.2]])
    >>> pool([image, audio], [1.0, 1.0], np.array([0.5, 0.5])).round(3).tolist()
    [[0.941, 0.059]]
    >>> pool([image, audio], [0.5, 0.5], np.array([0.5, 0.5])).round(3).tolist()
    [[0.8, 0.2]]
    """
    total = log_prior(prior) + np.zeros_like(scores[0])
    for own, weight in zip(scores, weights, strict=True):
        factors = np.asarray(weight, np.float64)
        total += factors.reshape(factors.shape + (1,) * (own.ndim - factors.ndim)) * log_evidence(own, prior)
    powers = np.exp(total - total.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))
