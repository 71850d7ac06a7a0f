"""Expected calibration error: mean gap between confidence and accuracy, in 15 bins of confidence (Guo et al. 2017)."""

import numpy as np

from sensorium.metrics._base import Outcome
from sensorium.metrics._confidence import confidences
from sensorium.metrics._means import divide
from sensorium.table import Floats

TASKS = ("class probabilities",)
BEST = 0.0
WORST = 1.0
LOWER_IS_BETTER = True
BINS = 15


def ece(outcome: Outcome, weights: Floats) -> Floats:
    """Compare confidence, the probability of the predicted class, with accuracy; in multilabel, for each label."""
    confidence, right = confidences(outcome)
    bins = np.clip((confidence * BINS).astype(np.int64), 0, BINS - 1)
    gaps = [np.abs(weights @ ((right - confidence) * (bins == b)).sum(1)) for b in range(BINS)]
    return divide(np.sum(gaps, axis=0), weights.sum(1) * confidence.shape[1])
