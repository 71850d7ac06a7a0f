"""Decision thresholds of a task of one or of several targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sensorium.config import DEFAULT_THRESHOLD
from sensorium.tasks._base import Task
from sensorium.tasks.several import Several, targets_of


def thresholds_of(task: Task) -> dict[str, list[float]]:
    """Return target → decision thresholds, of the targets that have some; a single target has the name ""."""
    return {name: part.thresholds for name, part in targets_of(task).items() if part.thresholds}


def with_thresholds(task: Task, thresholds: Mapping[str, Sequence[float]]) -> Task:
    """Return the task with other decision thresholds; targets that are not named keep theirs.

    Args:
        task: the task.
        thresholds: target → thresholds, as `thresholds_of` returns them.
    """
    if not isinstance(task, Several):
        return task.with_thresholds(thresholds[""]) if "" in thresholds else task
    parts = {
        name: part.with_thresholds(thresholds[name]) if name in thresholds else part
        for name, part in task.parts.items()
    }
    return replace(task, parts=parts)


def decides_by_default(task: Task) -> bool:
    """Return whether every decision threshold is the default."""
    return all(value == DEFAULT_THRESHOLD for own in thresholds_of(task).values() for value in own)
