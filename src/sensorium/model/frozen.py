"""Find frozen encoders, whose features do not change in training, and load their weights."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch

from sensorium.encoders import FeatureEncoder, Pretrained, Static
from sensorium.errors import ConfigError, SensoriumError, raise_together
from sensorium.modalities import Modality
from sensorium.model._blueprint import Blueprint, TowerPlan
from sensorium.model._build_encoder import build_encoder
from sensorium.model.features import Features, learn_features
from sensorium.model.network import FusionModel
from sensorium.registry import encoders
from sensorium.table import Column

AFTER_FEATURES = ("size", "dropout")  # options of the network behind a frozen encoder's features
TrainingCells = Callable[[str], Column]  # a column's name → its cells in the training rows


def frozen_encoders(
    blueprint: Blueprint, learnt: Mapping[str, Modality], cells: TrainingCells, device: torch.device
) -> dict[str, Any]:
    """Return tower → encoder for the towers whose features stay the same throughout training.

    Args:
        blueprint: the blueprint of the model.
        learnt: column → fitted modality.
        cells: returns the training cells of a column, for encoders that count.
        device: the device of the encoders.
    """
    found = {}
    for tower in blueprint.towers:
        if hasattr(encoders.load(tower.encoder), "from_features"):
            specs = {name: learnt[name].encoder_spec() for name in tower.columns}
            with torch.random.fork_rng([]):  # initial weights, which every model draws anew
                encoder = build_encoder(tower, specs, {})
            if encoder.frozen:
                make_ready(encoder, learnt[tower.columns[0]], cells(tower.columns[0]))
                found[tower.name] = encoder.to(device).eval()
    return found


def make_ready(encoder: Pretrained | Static, modality: Modality, column: Column) -> None:
    """Load the pretrained weights of an encoder, or fit its counts on the training cells of its column."""
    if isinstance(encoder, Static):
        learn_features(encoder, modality, column)
    else:
        encoder.load_pretrained()


def frozen_in(network: FusionModel) -> dict[str, Any]:
    """Return tower → encoder for the frozen encoders of a network."""
    towers = network.every_tower
    return {t.name: t.encoder for t in towers if isinstance(t.encoder, FeatureEncoder) and t.encoder.frozen}


def feature_readers(
    learnt: Mapping[str, Modality], blueprint: Blueprint, frozen: Mapping[str, FeatureEncoder], device: torch.device
) -> dict[str, Modality]:
    """Return column → its modality and frozen encoder, combined to one step, for towers with a frozen encoder."""
    towers = [tower for tower in blueprint.towers if tower.name in frozen]
    return {t.columns[0]: Features(learnt[t.columns[0]], frozen[t.name], device) for t in towers}


def can_unfreeze(tower: TowerPlan) -> bool:
    """Return whether the tower has a frozen pretrained encoder."""
    return hasattr(encoders.load(tower.encoder), "unfrozen") and tower.options.get("tune", "frozen") == "frozen"


def trained_backbones(blueprint: Blueprint) -> list[str]:
    """Return the pretrained parts that training changes, as `train.freeze` names them."""
    towers = [tower for tower in blueprint.towers if hasattr(encoders.load(tower.encoder), "unfrozen")]
    return [f"{tower.name}.encoder.backbone" for tower in towers if not can_unfreeze(tower)]


def check_features(blueprint: Blueprint, prepared: Blueprint, frozen: Collection[str]) -> None:
    """Check that towers with precomputed features keep the encoder that computed them.

    Args:
        blueprint: the blueprint of a model to train on the features.
        prepared: the blueprint that the features were computed with.
        frozen: names of the towers with precomputed features.

    Raises:
        ConfigError: a tower has another encoder, or other options before its features.
    """
    own = {tower.name: _before_features(tower) for tower in prepared.towers}
    faults: list[SensoriumError] = [
        ConfigError(
            f"the features of {tower.name} were computed by {own[tower.name][0]} with other options",
            place=f"encoders.{tower.name}",
            rule=f"the same encoder; only {' and '.join(AFTER_FEATURES)} may differ",
            cure="fit a separate model",
        )
        for tower in blueprint.towers
        if tower.name in frozen and _before_features(tower) != own[tower.name]
    ]
    raise_together(faults)


def _before_features(tower: TowerPlan) -> tuple[str, dict[str, Any]]:
    options = {name: value for name, value in tower.options.items() if name not in AFTER_FEATURES}
    return tower.encoder, options
