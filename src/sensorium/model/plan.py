"""Plan a network from settings and fitted modalities: the blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sensorium.config import Config, check_options
from sensorium.errors import ConfigError
from sensorium.files.pretrained_sources import missing_package
from sensorium.modalities import Modality
from sensorium.model._blueprint import Blueprint, TowerPlan
from sensorium.model._build_encoder import checked_options
from sensorium.model._build_fusion import FusionKind, fusion_kind
from sensorium.model._encoder_checks import check_accepts, check_agreement, check_keys
from sensorium.model._tower_settings import check_towers
from sensorium.model.own_modules import NO_MODULES, OwnModules, plain_fusion
from sensorium.prepare import encoder_choice
from sensorium.registry import encoders, heads
from sensorium.registry.defaults import DEFAULT_FUSION, DEFAULT_HEAD
from sensorium.registry.weights import weights_of


def plan_model(
    learnt: Mapping[str, Modality], kinds: Mapping[str, str], config: Config, own: OwnModules = NO_MODULES
) -> Blueprint:
    """Group columns into towers, choose their encoders, check every option.

    Args:
        learnt: column → fitted modality.
        kinds: column → the modality's registered name.
        config: encoders, towers, fusion, width.
        own: the user's own modules.

    Raises:
        ConfigError: a name or an option is unknown, or an encoder does not support the modality of its tower.
    """
    check_towers(config, learnt)
    towers = [_plan_tower(name, columns, learnt, kinds, config) for name, columns in _group(learnt, config).items()]
    check_keys(config, towers, kinds)
    fusion = config.fusion.name or DEFAULT_FUSION
    kind = fusion_kind(fusion, own)
    options = kind.check_options(config.fusion.options)
    return Blueprint(towers, fusion, options, config.width, *_plan_head(config, kind))


def _plan_head(config: Config, fusion: FusionKind) -> tuple[str, dict[str, Any]]:
    head = config.head.name or DEFAULT_HEAD
    options = check_options(heads.load(head), config.head.options, f"head {head!r}")
    if head != DEFAULT_HEAD and fusion.level == "decision":
        rule = "decision-level fusion has one head per modality and fuses their logits"
        raise ConfigError(
            f"fusion {plain_fusion(fusion.name)!r} cannot be combined with head {head!r}", place="head", rule=rule
        )
    return head, options


def _group(learnt: Mapping[str, Modality], config: Config) -> dict[str, list[str]]:
    """Group columns into towers: as set, else in the shared tower of their modality, else one tower per column.

    A shared tower with one column has the name of the column.
    """
    chosen = {column: tower for tower, columns in config.towers.items() for column in columns}
    groups: dict[str, list[str]] = {}
    for column, modality in learnt.items():
        groups.setdefault(chosen.get(column) or modality.tower or column, []).append(column)
    return {
        tower if tower in config.towers or len(columns) > 1 else columns[0]: columns
        for tower, columns in groups.items()
    }


def _plan_tower(
    name: str, columns: list[str], learnt: Mapping[str, Modality], kinds: Mapping[str, str], config: Config
) -> TowerPlan:
    shared = list(dict.fromkeys(kinds[column] for column in columns))
    check_agreement(name, shared, config)
    choice = encoder_choice(config, *shared, *(columns if len(columns) == 1 else ()), name)
    encoder = choice.name or learnt[columns[0]].encoder
    entry = encoders.entry(encoder)
    # A modality vouches for the encoder that it names itself: one new file is enough to add it.
    others = [kinds[column] for column in columns if learnt[column].encoder != encoder]
    plan = TowerPlan(name, columns, encoder, choice.options)
    check_accepts(plan, others)
    kind = entry.load()
    options = checked_options(plan, kind)
    if (weights := weights_of(encoder, options)) and not weights.is_installed:
        raise missing_package(weights.package)
    return replace(plan, options=kind.complete(options) if hasattr(kind, "complete") else options)
