"""Mean over several targets of their main metric, such as accuracy or R²; 1 is perfect."""

from sensorium.metrics._base import Outcome, score
from sensorium.metrics._means import mean_of_defined
from sensorium.table import Floats

TASKS = ("several",)
BEST = 1.0
IN_POINTS = True


def mean_score(outcome: Outcome, weights: Floats) -> Floats:
    """Compute the sum over targets of the main metric (on the rows that have its label) / number of targets."""
    return mean_of_defined([score(f"{name}.{part.main}", outcome, weights) for name, part in outcome.parts.items()])
