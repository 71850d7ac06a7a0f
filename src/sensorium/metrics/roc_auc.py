"""Probability that a positive row scores above a negative one, ties half (several classes: one against the rest)."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._counts import Ranking
from sensorium.metrics._means import divide, mean_of_defined
from sensorium.table import Floats

TASKS = ("binary", "multiclass", "multilabel")
BEST = 1.0
IN_POINTS = True


def roc_auc(outcome: Outcome, weights: Floats) -> Floats:
    """Compute P(positive above negative) + ½·P(tied), over pairs of rows; NaN if all rows are of one class."""
    return mean_of_defined([_area(Ranking.of(t, s, weights)) for t, s in outcome.one_against_rest()])


def _area(ranking: Ranking) -> Floats:
    below = ranking.negative.cumsum(1) - ranking.negative / 2
    pairs = ranking.positive.sum(1) * ranking.negative.sum(1)
    return divide((ranking.positive * below).sum(1), pairs)
