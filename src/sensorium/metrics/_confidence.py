"""Confidence of predictions, and whether they are correct."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sensorium.metrics._base import Outcome
from sensorium.table import Floats


def confidences(outcome: Outcome) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the probability of each prediction and whether it is correct, [n, 1]; in multilabel of each label, [n, k].

    A label that is not predicted is a prediction of its absence, with the probability 1 − p.
    """
    if outcome.is_multilabel:
        confidence = np.where(outcome.predicted, outcome.scores, 1 - outcome.scores)
    else:
        confidence = outcome.scores[np.arange(len(outcome)), outcome.predicted][:, None]
    right = outcome.predicted == outcome.truth
    return confidence, right if outcome.is_multilabel else right[:, None]


def cluster_predictions(outcome: Outcome, width: int) -> npt.NDArray[np.int64]:
    """Return the group of each prediction, or its row if rows are independent: int64[n · width]."""
    clusters = np.arange(len(outcome)) if outcome.groups is None else np.unique(outcome.groups, return_inverse=True)[1]
    return np.repeat(clusters, width)
