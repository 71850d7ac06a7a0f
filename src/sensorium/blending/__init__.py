"""Blend models of different kinds: networks, linear models and boosted trees."""

from sensorium.blending._blend import FOLDS, blend, needs_fold
from sensorium.blending._candidates import NETWORK, Train, network_folds
from sensorium.blending._support import CONFLICTS, check_blend

__all__ = ["CONFLICTS", "FOLDS", "NETWORK", "Train", "blend", "check_blend", "needs_fold", "network_folds"]
