"""Build the encoder of a tower."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from sensorium.config import check_options
from sensorium.encoders.module import Module
from sensorium.errors import ConfigError
from sensorium.modalities import EncoderSpec
from sensorium.model._blueprint import TowerPlan
from sensorium.model.own_modules import check_initialized
from sensorium.registry import encoders
from sensorium.registry.failures import remember_own


def build_encoder(plan: TowerPlan, encoder_spec: Mapping[str, EncoderSpec], modules: Mapping[str, Any]) -> Any:
    """Build the encoder of a tower from the specifications of its columns and the user's own `modules`."""
    if plan.encoder == "module":
        spec = encoder_spec[plan.columns[0]]
        built = Module(_made(plan, _module_of(plan, modules), spec), spec)
        check_initialized(plan.name, built.module)
        return built
    entry = encoders.entry(plan.encoder)
    kind = entry.load()
    options = checked_options(plan, kind)  # again: a blueprint that was read back holds lists for tuples
    if entry.literal("JOINT", False):
        return kind([encoder_spec[column] for column in plan.columns], **options)
    return kind(**_from_spec(plan, kind, encoder_spec[plan.columns[0]], _positional(kind)), **options)


def _from_spec(plan: TowerPlan, kind: Any, spec: EncoderSpec, names: list[str]) -> dict[str, Any]:
    """Return the arguments that the specification of a column supplies."""
    known = {**spec, "encoder_spec": spec}
    lacking = [name for name in names if name not in known]
    if lacking:
        raise ConfigError(
            f"encoder {plan.encoder!r} needs {', '.join(lacking)}, which the column's options do not produce",
            place=f"tower {plan.name!r}",
            rule=f"the column supplies {', '.join(sorted(known))}",
            cure="remove the options of the modality, or choose an encoder that takes them",
        )
    return {name: known[name] for name in names}


def _made(plan: TowerPlan, maker: Any, spec: EncoderSpec) -> nn.Module:
    """Return the user's own module, or build it with a class or a function, from what the column supplies."""
    source = maker.func if isinstance(maker, functools.partial) else maker
    remember_own("encoder", getattr(source, "__name__", type(source).__name__), source)
    if isinstance(maker, nn.Module):
        return maker
    parameters = inspect.signature(maker).parameters.values()
    required = [p for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    known = {**spec, "encoder_spec": spec}
    names = [p.name for p in parameters if p in required or (p.name in known and p.kind is p.POSITIONAL_OR_KEYWORD)]
    _check_parameters(plan, source, [name for name in names if name not in known], known)
    with torch.device("cpu"):  # it is run on sample cells, whatever else is built without memory
        built = maker(**{name: known[name] for name in names})
    if not isinstance(built, nn.Module):
        rule = "a function that returns a torch.nn.Module"
        raise ConfigError(
            f"the encoder of {plan.name!r} is a {type(built).__name__}", place=f"encoders.{plan.name}", rule=rule
        )
    remember_own("encoder", type(built).__name__, built)
    return built


def _check_parameters(plan: TowerPlan, source: Any, lacking: list[str], known: Mapping[str, Any]) -> None:
    """Check that the column supplies what a class or a function of the user needs to make a module."""
    if not lacking:
        return
    kind, does = ("class", "is") if isinstance(source, type) else ("function", "returns")
    name = getattr(source, "__name__", type(source).__name__)
    raise ConfigError(
        f"the {kind} {name!r} has parameters that the column does not supply: {', '.join(lacking)}",
        place=f"encoders.{plan.name}",
        rule=f"the {kind} {does} a torch.nn.Module; it is called once, to make the module, and not with cells; its "
        f"parameters may be {', '.join(sorted(known))}, or have default values",
        cure=f"rename the parameters, give them default values, or pass a module: encoders={{{plan.name!r}: module}}",
    )


def checked_options(plan: TowerPlan, kind: type) -> dict[str, Any]:
    return check_options(kind, plan.options, f"encoder {plan.encoder!r} of {plan.name!r}")


def _positional(kind: type) -> list[str]:
    parameters = inspect.signature(kind).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def _module_of(plan: TowerPlan, modules: Mapping[str, Any]) -> Any:
    if plan.name not in modules:
        raise ConfigError(
            f"the encoder of {plan.name!r} is your own module, which is not saved with the model",
            place=f"tower {plan.name!r}",
            cure=f"pass it again: encoders={{{plan.name!r}: module}}",
        )
    return modules[plan.name]
