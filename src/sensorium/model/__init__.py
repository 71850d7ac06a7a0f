"""Plan and build the network, and hold it with everything else in a fitted model."""

from sensorium.model._blend import ROUNDING, Pool, Pooling
from sensorium.model._blueprint import Blueprint, TowerPlan
from sensorium.model._build_encoder import build_encoder
from sensorium.model._build_fusion import fusion_kind
from sensorium.model._encoder_choice import preferred_modality_options
from sensorium.model._outline import on_meta
from sensorium.model._run_network import infer, weight_index
from sensorium.model._tower import Tower
from sensorium.model._unshared import unshared
from sensorium.model.build import build_network, outline_network
from sensorium.model.calibration import (
    HIGHEST_TEMPERATURE,
    LOWEST_TEMPERATURE,
    Outputs,
    at_bound,
    can_calibrate,
    fit_temperature,
    is_varied,
    minimize,
    outcome_at,
    with_varied_labels,
)
from sensorium.model.dense import DenseModel, check_exportable, dense_inputs, export_network
from sensorium.model.estimator_member import Estimator, EstimatorMember
from sensorium.model.features import Features, learn_features
from sensorium.model.fitted import FittedModel, pick_device
from sensorium.model.frozen import (
    can_unfreeze,
    check_features,
    feature_readers,
    frozen_encoders,
    frozen_in,
    make_ready,
    trained_backbones,
)
from sensorium.model.member import Member, NetworkMember
from sensorium.model.network import FusionModel
from sensorium.model.own_modules import (
    NO_MODULES,
    OWN_FUSION,
    OwnModules,
    check_modules,
    is_maker,
    own_name,
    plain_fusion,
)
from sensorium.model.plan import plan_model
from sensorium.model.quantization import SMALLEST_QUANTIZED, expect_int8, quantize
from sensorium.model.rehearsal import filled, rehearse_parts, zero_batch, zero_cells
from sensorium.model.work import prediction_work, training_work

__all__ = [
    "HIGHEST_TEMPERATURE",
    "LOWEST_TEMPERATURE",
    "NO_MODULES",
    "OWN_FUSION",
    "ROUNDING",
    "SMALLEST_QUANTIZED",
    "Blueprint",
    "DenseModel",
    "Estimator",
    "EstimatorMember",
    "Features",
    "FittedModel",
    "FusionModel",
    "Member",
    "NetworkMember",
    "Outputs",
    "OwnModules",
    "Pool",
    "Pooling",
    "Tower",
    "TowerPlan",
    "at_bound",
    "build_encoder",
    "build_network",
    "can_calibrate",
    "can_unfreeze",
    "check_exportable",
    "check_features",
    "check_modules",
    "dense_inputs",
    "expect_int8",
    "export_network",
    "feature_readers",
    "filled",
    "fit_temperature",
    "frozen_encoders",
    "frozen_in",
    "fusion_kind",
    "infer",
    "is_maker",
    "is_varied",
    "learn_features",
    "make_ready",
    "minimize",
    "on_meta",
    "outcome_at",
    "outline_network",
    "own_name",
    "pick_device",
    "plain_fusion",
    "plan_model",
    "prediction_work",
    "preferred_modality_options",
    "quantize",
    "rehearse_parts",
    "trained_backbones",
    "training_work",
    "unshared",
    "weight_index",
    "with_varied_labels",
    "zero_batch",
    "zero_cells",
]
