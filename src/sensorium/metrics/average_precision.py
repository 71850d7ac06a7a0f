"""Precision averaged over recall, without interpolation (several classes: mean of one against the rest)."""

from sensorium.metrics._base import Floats, Outcome, Ranking, divide, mean_of_defined

TASKS = ("binary", "multiclass", "multilabel")


def average_precision(outcome: Outcome, weights: Floats) -> Floats:
    """Σ_g (R_g − R_{g−1})·P_g over the distinct scores g, the highest first."""
    return mean_of_defined([_area(Ranking.of(t, s, weights)) for t, s in outcome.one_against_rest()])


def _area(ranking: Ranking) -> Floats:
    found = ranking.positive[:, ::-1].cumsum(1)
    taken = found + ranking.negative[:, ::-1].cumsum(1)
    precision = divide(found, taken)
    steps = ranking.positive[:, ::-1]
    summed = (steps * (steps > 0) * (precision if precision.size else 0)).sum(1, where=taken > 0)
    return divide(summed, ranking.positive.sum(1))
