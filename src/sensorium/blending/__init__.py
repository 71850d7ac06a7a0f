"""Blend models of different kinds: networks, linear models and boosted trees."""

from sensorium.blending._blend import blend, combine, fold_counts, needs_fold, network_spec
from sensorium.blending._candidates import Candidate
from sensorium.blending._classical import Classical, classical_candidates
from sensorium.blending._networks import NETWORK, Train, check_network, main_network, network_candidate, too_slow
from sensorium.blending._support import CONFLICTS, check_blend
from sensorium.blending._time import ENOUGH, FOLDS, FitTime, NetworkFolds, TimeLimit, count_rows

__all__ = [
    "CONFLICTS", "ENOUGH", "FOLDS", "NETWORK", "Candidate", "Classical", "FitTime", "NetworkFolds", "TimeLimit",
    "Train", "blend", "check_blend", "check_network", "classical_candidates", "combine", "count_rows", "fold_counts",
    "main_network", "needs_fold", "network_candidate", "network_spec", "too_slow",
]  # fmt: skip
