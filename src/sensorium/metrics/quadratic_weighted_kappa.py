"""Cohen's kappa of true and predicted ranks with quadratic weights, −1 to 1; 0 for a constant prediction."""

from sensorium.metrics._base import Outcome
from sensorium.metrics._means import divide, mean_of_rows
from sensorium.table import Floats

TASKS = ("ordered classes",)
BEST = 1.0
WORST = -1.0


def quadratic_weighted_kappa(outcome: Outcome, weights: Floats) -> Floats:
    """Compute 1 − E(t − p)² / E(t − p′)², where p′ is the rank predicted for a row drawn at random (Cohen 1968)."""
    truth, predicted = outcome.truth, outcome.predicted
    squares = mean_of_rows(truth**2, weights) + mean_of_rows(predicted**2, weights)
    apart = squares - 2 * mean_of_rows(truth, weights) * mean_of_rows(predicted, weights)
    return 1 - divide(mean_of_rows((truth - predicted) ** 2, weights), apart)
