"""Blend models of different kinds: networks, linear models and boosted trees."""

from sensorium.blending._blend import blend, needs_fold, planned_folds
from sensorium.blending._networks import NETWORK, too_slow
from sensorium.blending._time import TimeLimit

__all__ = ["NETWORK", "TimeLimit", "blend", "needs_fold", "planned_folds", "too_slow"]
