"""Mean negative logarithm of the predicted probability of the true label."""

from sensorium.metrics._base import Outcome, Terms
from sensorium.metrics._log_losses import log_losses
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("class probabilities",)
BEST = 0.0
LOWER_IS_BETTER = True


def terms(outcome: Outcome) -> Terms:
    """Return the log loss of each row."""
    return log_losses(outcome), None


def log_loss(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·(−log p_truth) / Σ w; for multilabel the mean over labels."""
    return mean_of_rows(terms(outcome)[0], weights)
