"""Log loss of each row."""

from __future__ import annotations

import numpy as np

from sensorium.metrics._base import Outcome
from sensorium.table import Floats

SMALLEST = 1e-15  # probability at which the logarithm is cut


def log_losses(outcome: Outcome) -> Floats:
    """Return float64[n], −log p of the true label of each row; for multilabel the mean over labels."""
    if outcome.is_multilabel:
        given = np.where(outcome.truth, outcome.scores, 1 - outcome.scores)
        return np.asarray(-np.log(given.clip(SMALLEST)).mean(1), np.float64)
    given = outcome.scores[np.arange(len(outcome)), outcome.truth]
    return np.asarray(-np.log(given.clip(SMALLEST)), np.float64)
