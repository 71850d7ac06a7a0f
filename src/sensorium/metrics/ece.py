"""Expected calibration error: mean gap between confidence and accuracy, in 15 bins of confidence (Guo et al. 2017)."""

import numpy as np
import numpy.typing as npt

from sensorium.metrics._base import Outcome
from sensorium.metrics._calibration_bias import calibration_bias
from sensorium.metrics._confidence import cluster_predictions, confidences
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
    bins = _bins(confidence)
    gaps = [np.abs(weights @ ((right - confidence) * (bins == b)).sum(1)) for b in range(BINS)]
    return divide(np.sum(gaps, axis=0), weights.sum(1) * confidence.shape[1])


def bias(outcome: Outcome) -> tuple[float, float]:
    """Return how much too large the value is on average, at least and at most."""
    confidence, right = confidences(outcome)
    clusters = cluster_predictions(outcome, confidence.shape[1])
    return calibration_bias((right - confidence).ravel(), _bins(confidence).ravel(), clusters)


def _bins(confidence: Floats) -> npt.NDArray[np.int64]:
    return np.clip((confidence * BINS).astype(np.int64), 0, BINS - 1)
