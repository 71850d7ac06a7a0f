"""Precision averaged over recall, without interpolation (several classes: mean of one against the rest)."""

import numpy as np

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Ranking
from sensorium.metrics._means import divide, mean_of_defined
from sensorium.metrics._pairs import Positives
from sensorium.table import Floats

TASKS = ("class probabilities",)
BEST = 1.0
WORST = 0.0
IN_POINTS = True


def average_precision(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ_g (R_g − R_{g−1})·P_g over the distinct scores g, the highest first."""
    if positives := Positives.of(outcome):
        return mean_of_defined(positives.areas(_areas, weights).T)
    return mean_of_defined([_area(Ranking.of(t, s, weights)) for t, s in outcome.one_against_rest()])


def _areas(positives: Positives, weights: Floats) -> Floats:
    """Compute Σ_p w_p·P_p / Σ_p w_p over the positive rows p of each class, [r, classes]."""
    own = weights[:, positives.rows]
    precision = divide(positives.true_above(weights), positives.sum_pairs(weights, np.greater_equal))
    return divide(positives.per_class(np.where(own > 0, own * precision, 0)), positives.per_class(own))


def _area(ranking: Ranking) -> Floats:
    steps = ranking.positive[:, ::-1]
    found = steps.cumsum(1)
    precision = divide(found, found + ranking.negative[:, ::-1].cumsum(1))
    return divide(np.where(steps > 0, steps * precision, 0).sum(1), found[:, -1])
