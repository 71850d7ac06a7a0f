"""Set the decision thresholds of a fitted model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from sensorium.config import as_given
from sensorium.errors import ConfigError, did_you_mean, list_names
from sensorium.model import FittedModel
from sensorium.model.card import ThresholdRecord
from sensorium.tasks import Task, targets_of, thresholds_of, with_thresholds

GivenThreshold: TypeAlias = float | Mapping[str, Any]  # of label or target → threshold
PLACE = "threshold"
RULE = "a number above 0 and below 1, or a mapping of labels or targets to such numbers"


def set_thresholds(fitted: FittedModel, given: GivenThreshold) -> FittedModel:
    """Return the model with other decision thresholds, and with the record of them.

    Args:
        fitted: the model.
        given: a threshold for the positive class and every label, or thresholds by label of a multilabel target; for
            several targets, a threshold for all that have one, or target → one of these.

    Raises:
        ConfigError: the model has no decision threshold, a label or target is unknown, or a threshold is not above 0
            and below 1.
    """
    before = thresholds_of(fitted.task)
    if not before:
        raise ConfigError(
            f"a model of the task {fitted.task_name} has no decision threshold",
            place=PLACE,
            rule="for the tasks binary and multilabel",
        )
    changed = {
        name: _of_target(part, given[name] if isinstance(given, Mapping) and fitted.task.targets else given, name)
        for name, part in _given_targets(fitted.task, given).items()
    }
    records = {name: ThresholdRecord(rule="set", thresholds=own) for name, own in changed.items()}
    if fitted.task.targets:
        known = fitted.card.threshold.targets if fitted.card.threshold else None
        record = ThresholdRecord(targets={**(known or {}), **records})
    else:
        record = records[""]
    task = with_thresholds(fitted.task, changed)
    return replace(fitted, task=task, card=fitted.card.updated(threshold=record, metrics={}, cross_validation=None))


def _given_targets(task: Task, given: GivenThreshold) -> dict[str, Task]:
    """Return the targets whose thresholds are given."""
    having = {name: part for name, part in targets_of(task).items() if part.thresholds}
    if not task.targets or not isinstance(given, Mapping):
        return having
    _check_known(given, having, "target with a decision threshold")
    return {name: having[name] for name in given}


def _of_target(task: Task, given: Any, target: str) -> list[float]:
    if not isinstance(given, Mapping):
        return [_number(given)] * len(task.thresholds)
    if len(task.thresholds) == 1:
        place = f"{PLACE}.{target}" if target else PLACE
        raise ConfigError("a binary target has one threshold", place=place, rule="a number above 0 and below 1")
    labels = [str(label) for label in task.labels]
    chosen = {str(label): value for label, value in given.items()}
    _check_known(chosen, labels, "label")
    return [
        _number(chosen[label]) if label in chosen else own for label, own in zip(labels, task.thresholds, strict=True)
    ]


def _check_known(given: Mapping[str, Any], known: Any, kind: str) -> None:
    for name in given:
        if name not in known:
            cure = did_you_mean(name, known) or f"use {list_names([*known][:5])}"
            raise ConfigError(f"unknown {kind} {name!r}", place=f"{PLACE}.{name}", cure=cure)


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | np.number) or not 0 < given < 1:
        cure = "rows with labels choose a threshold in a fit: set the setting threshold there"
        raise ConfigError(f"a threshold cannot be {as_given(given)}", place=PLACE, rule=RULE, cure=cure)
    return float(given)
