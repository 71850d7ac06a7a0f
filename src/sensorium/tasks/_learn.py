"""Fit a task to labels, with its settings."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from sensorium.config import Config
from sensorium.labels import LabelReading
from sensorium.registry import tasks
from sensorium.table import Column, Rows
from sensorium.tasks._base import Task
from sensorium.tasks._order import check_order_is_used


def learn_task(name: str, labels: Column, train: Rows, reading: LabelReading, config: Config) -> Task:
    """Return a task fitted to the labels of the training rows.

    Args:
        name: registered name.
        labels: labels of every row, as `reading` returned them.
        train: the training rows.
        reading: conversion of the target's cells to labels.
        config: settings; `tasks`, `train.class_weight`, `train.outliers`, `train.target_transform`, `train.loss`,
            `table.order` and `table.labels` are used.

    Raises:
        SchemaError: the labels do not fit the task.
        ConfigError: `table.order` names a column that is not an ordinal target.
    """
    options: dict[str, Any] = {
        "keep_outliers": config.train.outliers == "keep",
        "target_transform": config.train.target_transform,
        "loss": config.train.loss,
        "fold_case": config.table.labels == "fold_case",
        "order": config.table.order,
        **({"kinds": config.tasks} if config.tasks else {}),
    }
    kind = tasks.load(name)
    if not labels.parts:
        check_order_is_used(config.table.order, {labels.name: name})
    learnt: Task = kind.learn(labels.take(train), config.train.class_weight, **options_of(kind, options))
    return learnt.with_reading(reading).looked_at(labels)


def options_of(kind: type[Task], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that the task supports."""
    known = inspect.signature(kind.learn).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
    return {name: value for name, value in options.items() if takes_any or name in known}
