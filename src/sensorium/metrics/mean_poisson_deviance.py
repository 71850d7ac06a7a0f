"""Mean deviance of a Poisson distribution: 0 for predictions that equal the counts."""

from sensorium.metrics._base import Outcome, Terms
from sensorium.metrics._deviances import poisson_deviances
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("count",)
BEST = 0.0
LOWER_IS_BETTER = True


def terms(outcome: Outcome) -> Terms:
    """Return the deviance of each row."""
    return poisson_deviances(outcome.truth, outcome.scores), None


def mean_poisson_deviance(outcome: Outcome, weights: Floats) -> Floats:
    """Compute 2 · Σ w·(y·log(y / μ) − y + μ) / Σ w; the logarithm is 0 where y is 0."""
    return mean_of_rows(terms(outcome)[0], weights)
