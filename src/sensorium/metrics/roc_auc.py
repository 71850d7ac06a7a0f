"""Probability that a positive row scores above a negative one, ties half (several classes: one against the rest)."""

import numpy as np
import numpy.typing as npt

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Ranking
from sensorium.metrics._means import divide, mean_of_defined
from sensorium.metrics._pairs import Positives
from sensorium.table import Floats

TASKS = ("class probabilities",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def roc_auc(outcome: Outcome, weights: Floats) -> Floats:
    """Compute P(positive above negative) + ½·P(tied), over pairs of rows; NaN if all rows are of one class."""
    if positives := Positives.of(outcome):
        return mean_of_defined(positives.areas(_areas, weights).T)
    return mean_of_defined([_area(Ranking.of(t, s, weights)) for t, s in outcome.one_against_rest()])


def _areas(positives: Positives, weights: Floats) -> Floats:
    """Sum over pairs of a positive row and any row; pairs of two positive rows add W²/2, [r, classes]."""
    own = weights[:, positives.rows]
    true = positives.per_class(own)
    below = positives.per_class(own * positives.sum_pairs(weights, _below))
    return divide(below - true**2 / 2, true * (weights.sum(1, keepdims=True) - true))


def _below(scores: Floats, own: Floats) -> npt.NDArray[np.float32]:
    return (scores < own) + np.float32(0.5) * (scores == own)


def _area(ranking: Ranking) -> Floats:
    below = ranking.negative.cumsum(1) - ranking.negative / 2
    pairs = ranking.positive.sum(1) * ranking.negative.sum(1)
    return divide((ranking.positive * below).sum(1), pairs)
