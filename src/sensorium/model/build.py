"""Build the network of a blueprint."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from sensorium.config import check_options
from sensorium.errors import OutOfMemoryError
from sensorium.modalities import EncoderSpec, Modality
from sensorium.model._blueprint import Blueprint
from sensorium.model._build_encoder import build_encoder
from sensorium.model._build_fusion import fusion_kind
from sensorium.model._outline import on_meta
from sensorium.model._tower import Tower
from sensorium.model.network import FusionModel
from sensorium.model.own_modules import OwnModules
from sensorium.registry import heads
from sensorium.tasks import Task

OVERFLOW = "Storage size calculation overflowed"  # in an error of torch


def build_model(
    blueprint: Blueprint, encoder_spec: Mapping[str, EncoderSpec], outputs: int, modules: OwnModules
) -> FusionModel:
    """Build the network of a blueprint, initialised from torch's random state.

    Args:
        blueprint: towers and fusion.
        encoder_spec: column → encoder specification, as its modality provides it.
        outputs: number of logits.
        modules: the user's own modules.
    """
    parts = [build_encoder(plan, encoder_spec, modules.encoders) for plan in blueprint.towers]
    kind = fusion_kind(blueprint.fusion, modules)
    width = outputs if kind.level == "decision" else blueprint.width
    widths = [part.width if kind.own_widths else width for part in parts]
    towers = [
        Tower(plan.name, plan.columns, part, _projection(part.width, goal, own_head=kind.level == "decision"))
        for plan, part, goal in zip(blueprint.towers, parts, widths, strict=True)
    ]
    fusion = kind.build(widths, width, blueprint.fusion_options)
    head = nn.Identity() if kind.level == "decision" else _build_head(blueprint, fusion.width, outputs)
    return FusionModel(towers, fusion, head, outputs=outputs)


def build_network(blueprint: Blueprint, learnt: Mapping[str, Modality], task: Task, modules: OwnModules) -> FusionModel:
    """Build the network of a blueprint for some columns and a task."""
    encoder_spec: dict[str, EncoderSpec] = {column: modality.encoder_spec() for column, modality in learnt.items()}
    return build_model(blueprint, encoder_spec, task.outputs, modules)


def outline_network(
    blueprint: Blueprint, learnt: Mapping[str, Modality], task: Task, modules: OwnModules
) -> FusionModel | None:
    """Build the network of a blueprint on the device `meta`, which allocates no weights.

    Returns:
        The network; None if a part needs the values of its weights, so that only `build_network` can build it.

    Raises:
        ConfigError: the options of an encoder, the fusion or the head do not fit together.
        OutOfMemoryError: a layer has more weights than can be addressed.
    """
    try:
        with torch.random.fork_rng(), on_meta():
            return build_network(blueprint, learnt, task, modules.copied())
    except (RuntimeError, NotImplementedError) as error:
        if str(error).startswith(OVERFLOW):
            raise OutOfMemoryError(
                "the network is too large: a layer has more weights than can be addressed",
                place=", ".join(blueprint.part_names()),
                cure="choose smaller options for them, or a smaller width",
            ) from None
        return None


def _build_head(blueprint: Blueprint, width: int, outputs: int) -> nn.Module:
    kind = heads.load(blueprint.head)
    return kind(width, outputs, **check_options(kind, blueprint.head_options, f"head {blueprint.head!r}"))


def _projection(inside: int, outside: int, own_head: bool) -> nn.Module:
    return nn.Linear(inside, outside) if own_head or inside != outside else nn.Identity()
