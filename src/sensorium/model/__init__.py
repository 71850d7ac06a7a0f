"""The network, how it is planned and built, and the fitted model that holds it."""

from sensorium.model.build import (
    build_encoder,
    build_model,
    build_network,
    check_buildable,
    plan_model,
    preferred_modality_options,
)
from sensorium.model.calibration import FEWEST, Calibration, calibrate, can_calibrate
from sensorium.model.features import Features, learn_features
from sensorium.model.fitted import FittedModel, Member, feature_readers, pick_device
from sensorium.model.network import Blueprint, FusionModel, Tower, TowerPlan, index_map, infer
from sensorium.model.quantization import expect_int8, quantize

__all__ = [
    "FEWEST",
    "Blueprint",
    "Calibration",
    "Features",
    "FittedModel",
    "FusionModel",
    "Member",
    "Tower",
    "TowerPlan",
    "build_encoder",
    "build_model",
    "build_network",
    "calibrate",
    "can_calibrate",
    "check_buildable",
    "expect_int8",
    "feature_readers",
    "index_map",
    "infer",
    "learn_features",
    "pick_device",
    "plan_model",
    "preferred_modality_options",
    "quantize",
]  # fmt: skip
