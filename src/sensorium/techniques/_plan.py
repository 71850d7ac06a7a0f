"""Which techniques are on, checked against the settings and the task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sensorium.config import check_options
from sensorium.errors import ConfigError, SensoriumError, raise_together
from sensorium.registry import techniques
from sensorium.techniques._base import Course, Technique


def check_techniques(chosen: Mapping[str, Mapping[str, Any]], task: str, towers: int) -> None:
    """Names, options, and whether they suit the task and the number of modalities.

    Raises:
        ConfigError: what can't be honoured, all told together.
    """
    faults: list[SensoriumError] = []
    for name, options in chosen.items():
        try:
            _check(name, options, task, towers)
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


def _place(name: str) -> str:
    return f"train.techniques.{name}"
