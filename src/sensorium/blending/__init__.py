"""Blend models of different kinds: networks, linear models and boosted trees."""

from sensorium.blending._blend import blend, needs_fold
from sensorium.blending._networks import NETWORK, Train, too_slow
from sensorium.blending._support import CONFLICTS, check_blend
from sensorium.blending._time import FOLDS, NetworkFolds, TimeLimit

__all__ = [
    "CONFLICTS", "FOLDS", "NETWORK", "NetworkFolds", "TimeLimit", "Train", "blend", "check_blend", "needs_fold",
    "too_slow",
]  # fmt: skip
