"""Blend models of different kinds: networks, linear models and boosted trees."""

from sensorium.blending._blend import blend, needs_fold, planned_folds
from sensorium.blending._candidates import NETWORK

__all__ = ["NETWORK", "blend", "needs_fold", "planned_folds"]
