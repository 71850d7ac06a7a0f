"""Which techniques are on, checked against the settings and the task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sensorium.config import TrainConfig, check_options
from sensorium.errors import ConfigError, SensoriumError, raise_together
from sensorium.registry import techniques
from sensorium.techniques._base import Course, Technique


def chosen_techniques(config: TrainConfig) -> dict[str, dict[str, Any]]:
    """Those that the settings name; a teacher is learnt from by distillation, where none is named that does."""
    chosen = dict(config.techniques)
    if config.teacher and not any(techniques.load(name).learns_from_teacher for name in chosen):
        chosen["distillation"] = {}
    return chosen


def check_techniques(config: TrainConfig, task: str, towers: int) -> None:
    """Names, options, and whether they suit the task, the number of modalities and each other.

    Raises:
        ConfigError: what can't be honoured, all told together.
    """
    faults: list[SensoriumError] = []
    for name, options in chosen_techniques(config).items():
        try:
            _check(name, options, task, towers)
            _check_teacher(name, config)
        except SensoriumError as fault:
            faults.append(fault)
    raise_together(faults)


def build_techniques(chosen: Mapping[str, Mapping[str, Any]], course: Course) -> dict[str, Technique]:
    """Name → technique, ready for a run; what is about several modalities is left out where the model has one."""
    kinds = {name: techniques.load(name) for name in chosen}
    alone = len(course.model.towers) < 2
    return {
        name: kind(course, **check_options(kind, chosen[name], _place(name)))
        for name, kind in kinds.items()
        if not (alone and kind.joint)
    }


def _check(name: str, options: Mapping[str, Any], task: str, towers: int) -> None:
    entry = techniques.entry(name)
    suited = entry.literal("TASKS")
    if suited and task not in suited:
        rule = f"it is for {', '.join(suited)}"
        raise ConfigError(f"technique {name!r} does not suit {task}", place=_place(name), rule=rule)
    kind = entry.load()
    check_options(kind, options, _place(name))
    if kind.joint and towers < 2:
        rule = "it is about several"
        raise ConfigError(f"technique {name!r} has one modality to work on", place=_place(name), rule=rule)


def _check_teacher(name: str, config: TrainConfig) -> None:
    if techniques.load(name).learns_from_teacher and not config.teacher:
        cure = "--teacher MODEL, or --set train.teacher=MODEL"
        raise ConfigError(f"technique {name!r} has no teacher", place=_place(name), cure=cure)


def _place(name: str) -> str:
    return f"train.techniques.{name}"
