"""Plan a network from settings and fitted modalities (the blueprint), and build it."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from sensorium.config import Choice, Config, check_options
from sensorium.encoders.module import Module
from sensorium.errors import ConfigError, SensoriumError, did_you_mean
from sensorium.modalities import EncoderSpec, Modality
from sensorium.model.network import Blueprint, FusionModel, Tower, TowerPlan
from sensorium.registry import encoders, fusions, heads, modalities
from sensorium.tasks import Task

SHOWN = 3  # names in a message


def plan_model(learnt: Mapping[str, Modality], kinds: Mapping[str, str], config: Config) -> Blueprint:
    """Group columns into towers, choose their encoders, check every option.

    Args:
        learnt: column → fitted modality.
        kinds: column → the modality's registered name.
        config: encoders, towers, fusion, width.

    Raises:
        ConfigError: a name or an option is unknown, or an encoder does not support the modality of its tower.
    """
    towers = [_plan_tower(name, columns, learnt, kinds, config) for name, columns in _group(learnt, config).items()]
    _check_keys(config, towers, kinds)
    _check_towers(config)
    fusion = config.fusion.name or "concat"
    options = check_options(fusions.load(fusion), config.fusion.options, f"fusion {fusion!r}")
    return Blueprint(towers, fusion, options, config.width, *_plan_head(config, fusion))


def _plan_head(config: Config, fusion: str) -> tuple[str, dict[str, Any]]:
    head = config.head.name or "linear"
    options = check_options(heads.load(head), config.head.options, f"head {head!r}")
    if head != "linear" and fusions.load(fusion).level == "decision":
        rule = "decision-level fusion has one head per modality and fuses their logits"
        raise ConfigError(f"fusion {fusion!r} cannot be combined with head {head!r}", place="head", rule=rule)
    return head, options


def build_model(
    blueprint: Blueprint, encoder_spec: Mapping[str, EncoderSpec], outputs: int, modules: Mapping[str, nn.Module]
) -> FusionModel:
    """Build the network of a blueprint, initialised from torch's random state.

    Args:
        blueprint: towers and fusion.
        encoder_spec: column → encoder specification, as its modality provides it.
        outputs: number of logits.
        modules: tower → the user's own module, for towers whose encoder is `module`.
    """
    parts = [build_encoder(plan, encoder_spec, modules) for plan in blueprint.towers]
    kind = fusions.load(blueprint.fusion)
    width = outputs if kind.level == "decision" else blueprint.width
    widths = [part.width if kind.own_widths else width for part in parts]
    towers = [
        Tower(plan.name, plan.columns, part, _projection(part.width, goal, own_head=kind.level == "decision"))
        for plan, part, goal in zip(blueprint.towers, parts, widths, strict=True)
    ]
    fusion = kind(widths, width, **check_options(kind, blueprint.fusion_options, f"fusion {blueprint.fusion!r}"))
    head = nn.Identity() if kind.level == "decision" else _build_head(blueprint, fusion.width, outputs)
    return FusionModel(towers, fusion, head, outputs=outputs)


def build_network(
    blueprint: Blueprint, learnt: Mapping[str, Modality], task: Task, modules: Mapping[str, nn.Module]
) -> FusionModel:
    """Build the network of a blueprint for some columns and a task."""
    encoder_spec: dict[str, EncoderSpec] = {column: modality.encoder_spec() for column, modality in learnt.items()}
    return build_model(blueprint, encoder_spec, task.outputs, modules)


def check_buildable(
    blueprint: Blueprint, learnt: Mapping[str, Modality], task: Task, modules: Mapping[str, nn.Module]
) -> None:
    """Check that a blueprint can be built, without allocating its weights.

    Raises:
        ConfigError: the options of an encoder, the fusion or the head do not fit together.
    """
    try:
        with torch.random.fork_rng(), torch.device("meta"):
            build_network(blueprint, learnt, task, copy.deepcopy(dict(modules)))
    except SensoriumError:
        raise
    except (RuntimeError, NotImplementedError):  # a part of somebody else's that needs the values of its weights
        return


def _build_head(blueprint: Blueprint, width: int, outputs: int) -> nn.Module:
    kind = heads.load(blueprint.head)
    return kind(width, outputs, **check_options(kind, blueprint.head_options, f"head {blueprint.head!r}"))


def _projection(inside: int, outside: int, own_head: bool) -> nn.Module:
    return nn.Linear(inside, outside) if own_head or inside != outside else nn.Identity()


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
    _check_agreement(name, shared, config)
    choice = _choice(config, *shared, *(columns if len(columns) == 1 else ()), name)
    encoder = choice.name or learnt[columns[0]].encoder
    entry = encoders.entry(encoder)
    # A modality vouches for the encoder that it names itself: one new file is enough to add it.
    others = [kinds[column] for column in columns if learnt[column].encoder != encoder]
    _check_accepts(name, encoder, others, len(columns))
    kind, plan = entry.load(), TowerPlan(name, columns, encoder, choice.options)
    options = _checked_options(plan, kind)
    return replace(plan, options=kind.complete(options) if hasattr(kind, "complete") else options)


def preferred_modality_options(column: str, modality: str, config: Config) -> dict[str, Any]:
    """Return the modality options that the chosen encoder of a column requires, such as its tokenizer or image size.

    The result is empty if the settings name no encoder, or one without requirements.
    """
    tower = next((name for name, columns in config.towers.items() if column in columns), column)
    choice = _choice(config, modality, column, tower)
    kind = encoders.load(choice.name) if choice.name else None
    return kind.preferred_options(choice.options) if kind and hasattr(kind, "preferred_options") else {}


def _choice(config: Config, *keys: str) -> Choice:
    """Return the encoder in the settings; later keys override earlier ones."""
    choice = Choice()
    for key in keys:
        choice = _refine(choice, config.encoders.get(key))
    return choice


def _refine(choice: Choice, other: Choice | None) -> Choice:
    if other is None:
        return choice
    if other.name and other.name != choice.name:
        return other
    return Choice.model_validate({"name": choice.name, **choice.options, **other.options})


def _check_accepts(tower: str, encoder: str, kinds: Sequence[str], columns: int) -> None:
    entry = encoders.entry(encoder)
    accepts, joint = entry.literal("ACCEPTS", ()), entry.literal("JOINT", False)
    wrong = sorted(set(kinds) - set(accepts))
    if wrong:
        fitting = [n for n, e in encoders.entries.items() if set(kinds) <= set(e.literal("ACCEPTS", ()))]
        raise ConfigError(
            f"encoder {encoder!r} does not take {', '.join(wrong)}",
            place=f"tower {tower!r}",
            rule=f"it takes {', '.join(accepts)}",
            cure=f"one of: {', '.join(fitting)}"
            if fitting
            else "put the columns in different towers: one encoder must support all columns of a tower",
        )
    if columns > 1 and not joint:
        raise ConfigError(f"encoder {encoder!r} encodes one column, not {columns}", place=f"tower {tower!r}")


def _check_agreement(tower: str, kinds: Sequence[str], config: Config) -> None:
    """Raise ConfigError if two encoders are set for one tower, by modality."""
    chosen = {kind: choice.name for kind in kinds if (choice := config.encoders.get(kind)) and choice.name}
    if len(set(chosen.values())) > 1 and not (config.encoders.get(tower) or Choice()).name:
        found = ", ".join(f"encoders.{kind} is {name!r}" for kind, name in chosen.items())
        raise ConfigError(
            f"columns that are encoded together have different encoders: {found}",
            place=f"tower {tower!r}",
            rule="a tower has one encoder",
            cure=f"set encoders.{tower}, or put the columns into separate towers (towers)",
        )


def _check_keys(config: Config, towers: Sequence[TowerPlan], kinds: Mapping[str, str]) -> None:
    """Raise ConfigError if a key of `encoders` names nothing, or only a part of a tower."""
    names = {*modalities.names(), *(tower.name for tower in towers)}
    known = {*names, *kinds}
    for key, choice in config.encoders.items():
        if key not in known:
            raise ConfigError(
                f"there is no column, tower or modality {key!r}", place=f"encoders.{key}", cure=did_you_mean(key, known)
            )
        if choice.name:
            encoders.entry(choice.name)
        for tower in towers:
            if key not in names and key in tower.columns and len(tower.columns) > 1:
                raise _shares_tower(key, tower)


def _shares_tower(column: str, tower: TowerPlan) -> ConfigError:
    others = [repr(other) for other in tower.columns if other != column]
    beside = ", ".join(others[:SHOWN]) + (f" and {len(others) - SHOWN} more" if len(others) > SHOWN else "")
    return ConfigError(
        f"column {column!r} cannot have a separate encoder: tower {tower.name!r} encodes it together with {beside}",
        place=f"encoders.{column}",
        rule="a tower has one encoder",
        cure=f"give the column a separate tower, towers={{{column!r}: [{column!r}]}}, or set encoders.{tower.name}",
    )


def _check_towers(config: Config) -> None:
    """Raise ConfigError if a column is in two towers."""
    owner: dict[str, str] = {}
    for tower, columns in config.towers.items():
        for column in columns:
            if owner.setdefault(column, tower) != tower:
                raise ConfigError(
                    f"column {column!r} is in two towers: {owner[column]!r} and {tower!r}",
                    place="towers",
                    rule="each column has one tower",
                    cure=f"remove it from towers.{tower}",
                )


def build_encoder(plan: TowerPlan, encoder_spec: Mapping[str, EncoderSpec], modules: Mapping[str, nn.Module]) -> Any:
    """Build the encoder of a tower from the specifications of its columns and the user's own `modules`."""
    if plan.encoder == "module":
        return Module(_module_of(plan, modules), encoder_spec[plan.columns[0]])
    entry = encoders.entry(plan.encoder)
    kind = entry.load()
    options = _checked_options(plan, kind)  # again: a blueprint that was read back holds lists for tuples
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


def _checked_options(plan: TowerPlan, kind: type) -> dict[str, Any]:
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
