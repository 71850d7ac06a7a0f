"""Choose, check and build the techniques of training and pre-training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from sensorium.config import TrainConfig, check_options
from sensorium.errors import ConfigError, SensoriumError, raise_together
from sensorium.registry import techniques
from sensorium.registry.traits import suited_tasks, suits
from sensorium.techniques._base import Technique
from sensorium.techniques._context import TrainingContext

Chosen: TypeAlias = Mapping[str, Mapping[str, Any]]

IN_TRAINING, BEFORE = "train.techniques", "train.pretrain.techniques"


def chosen_techniques(config: TrainConfig) -> dict[str, dict[str, Any]]:
    """Return the techniques of the settings; add distillation if there is a teacher that no technique uses."""
    chosen = dict(config.techniques)
    if config.teacher and not any(techniques.load(name).learns_from_teacher for name in chosen):
        chosen["distillation"] = {}
    return chosen


def without_teacher(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chosen techniques without those that need a teacher."""
    return {name: options for name, options in chosen.items() if not techniques.load(name).learns_from_teacher}


def check_techniques(config: TrainConfig, task: str, towers: int) -> None:
    """Check names and options, and that techniques suit the task, the number of modalities and pre-training.

    Raises:
        ConfigError: a technique does not fit; all faults are reported together.
    """
    faults: list[SensoriumError] = []
    before = config.pretrain.techniques if config.pretrain else {}
    for place, chosen in ((IN_TRAINING, chosen_techniques(config)), (BEFORE, before)):
        for name, options in chosen.items():
            try:
                _check(name, options, task, f"{place}.{name}")
                _check_kind(name, towers, f"{place}.{name}")
                _check_teacher(name, config, f"{place}.{name}")
            except SensoriumError as fault:
                faults.append(fault)
    raise_together(faults)


def build_techniques(chosen: Chosen, context: TrainingContext) -> dict[str, Technique]:
    """Build the techniques; those for several modalities are left out if the model has one."""
    kinds = {name: techniques.load(name) for name in fitting(chosen, len(context.model.towers))}
    return {
        name: kind(context, **check_options(kind, chosen[name], f"{IN_TRAINING}.{name}"))
        for name, kind in kinds.items()
    }


def fitting(chosen: Chosen, towers: int) -> list[str]:
    """Return the names of the techniques that apply to a model with this number of towers."""
    return [name for name in chosen if towers > 1 or not techniques.load(name).joint]


def validating_settings(config: TrainConfig) -> list[str]:
    """Return the names of the settings that need validation rows."""
    chosen = [name for name in chosen_techniques(config) if techniques.load(name).validates]
    return [*["train.soup"] * (config.soup > 1), *(f"{IN_TRAINING}.{name}" for name in chosen)]


def unlabelled_learners(config: TrainConfig) -> list[str]:
    """Return what learns from training rows without a label: names of techniques, and `pre-training`."""
    known = [name for name in config.techniques if name in techniques.entries]
    found = [name for name in known if techniques.load(name).unlabelled]
    return found + ["pre-training"] * (config.pretrain is not None)


def _check(name: str, options: Mapping[str, Any], task: str, place: str) -> None:
    entry = techniques.entry(name)
    suited = entry.literal("TASKS")
    if not suits(suited, task):
        rule = f"it is for {', '.join(suited_tasks(suited))}"
        raise ConfigError(f"technique {name!r} does not support the task {task}", place=place, rule=rule)
    check_options(entry.load(), options, place)


def _check_kind(name: str, towers: int, place: str) -> None:
    kind = techniques.load(name)
    if kind.joint and towers < 2:
        raise ConfigError(f"technique {name!r} needs several modalities, the model has one", place=place)
    if place.startswith(BEFORE) and not kind.self_supervised:
        able = ", ".join(other for other in techniques.names() if techniques.load(other).self_supervised)
        raise ConfigError(
            f"technique {name!r} cannot be used for pre-training",
            place=place,
            rule="it needs labels",
            cure=f"one of: {able}",
        )


def _check_teacher(name: str, config: TrainConfig, place: str) -> None:
    if techniques.load(name).learns_from_teacher and not config.teacher:
        cure = "--teacher MODEL (Python: train={'teacher': 'MODEL'})"
        raise ConfigError(f"technique {name!r} needs a teacher", place=place, cure=cure)
