"""Accuracy of the k classes with the highest probability."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sensorium.metrics._base import Outcome


def is_among_top(outcome: Outcome, k: int) -> npt.NDArray[np.bool_]:
    """Return whether the true class of each row is among the k with the highest probability, bool[n].

    Of classes with equal probability, the first ones come first, as in predictions.
    """
    own = outcome.scores[np.arange(len(outcome)), outcome.truth][:, None]
    earlier = np.arange(outcome.scores.shape[1]) < outcome.truth[:, None]
    ahead = (outcome.scores > own) | ((outcome.scores == own) & earlier)
    return np.asarray(ahead.sum(1) < k)
