"""Mean negative logarithm of the predicted probability of the true label."""

import numpy as np

from sensorium.metrics._base import Outcome
from sensorium.metrics._means import mean_of_rows
from sensorium.table import Floats

TASKS = ("binary", "multiclass", "multilabel")
BEST = 0.0
LOWER_IS_BETTER = True
SMALLEST = 1e-15


def log_loss(outcome: Outcome, weights: Floats) -> Floats:
    """Compute Σ w·(−log p_truth) / Σ w; for multilabel the mean over labels."""
    if outcome.is_multilabel:
        given = np.where(outcome.truth, outcome.scores, 1 - outcome.scores)
        return mean_of_rows(-np.log(given.clip(SMALLEST)).mean(1), weights)
    given = outcome.scores[np.arange(len(outcome)), outcome.truth]
    return mean_of_rows(-np.log(given.clip(SMALLEST)), weights)
