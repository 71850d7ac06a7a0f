"""Build the encoder of a tower."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from sensorium.config import check_options
from sensorium.encoders.module import Module
from sensorium.errors import ConfigError
from sensorium.modalities import EncoderSpec
from sensorium.model._blueprint import TowerPlan
from sensorium.model.own_modules import check_initialized
from sensorium.registry import encoders


def build_encoder(plan: TowerPlan, encoder_spec: Mapping[str, EncoderSpec], modules: Mapping[str, nn.Module]) -> Any:
    """Build the encoder of a tower from the specifications of its columns and the user's own `modules`."""
    if plan.encoder == "module":
        built = Module(_module_of(plan, modules), encoder_spec[plan.columns[0]])
        check_initialized(plan.name, built.module)
        return built
    entry = encoders.entry(plan.encoder)
    kind = entry.load()
    options = checked_options(plan, kind)  # again: a blueprint that was read back holds lists for tuples
    if entry.literal("JOINT", False):
        return kind([encoder_spec[column] for column in plan.columns], **options)
    known = {**encoder_spec[plan.columns[0]], "encoder_spec": encoder_spec[plan.columns[0]]}
    lacking = [name for name in _positional(kind) if name not in known]
    if lacking:
        raise ConfigError(
            f"encoder {plan.encoder!r} needs {', '.join(lacking)}, which the column's options do not produce",
            place=f"tower {plan.name!r}",
            rule="the options of the column's modality and the encoder fit each other",
            cure="remove the options of the modality, or choose an encoder that takes them",
        )
    return kind(**{name: known[name] for name in _positional(kind)}, **options)


def checked_options(plan: TowerPlan, kind: type) -> dict[str, Any]:
    return check_options(kind, plan.options, f"encoder {plan.encoder!r} of {plan.name!r}")


def _positional(kind: type) -> list[str]:
    parameters = inspect.signature(kind).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def _module_of(plan: TowerPlan, modules: Mapping[str, nn.Module]) -> nn.Module:
    if plan.name not in modules:
        raise ConfigError(
            f"the encoder of {plan.name!r} is your own module, which is not saved with the model",
            place=f"tower {plan.name!r}",
            cure=f"pass it again: encoders={{{plan.name!r}: module}}",
        )
    return modules[plan.name]
