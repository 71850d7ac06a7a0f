"""Infer the task of a target: the registered tasks claim it, and the best claim wins."""

from __future__ import annotations

import pyarrow as pa

from sensorium.config import Config
from sensorium.errors import SchemaError
from sensorium.findings import Guess, count
from sensorium.findings.claims import best_claim
from sensorium.labels import LabelReading
from sensorium.registry import tasks
from sensorium.table import Column


def infer_task(column: Column, config: Config, reading: LabelReading | None = None) -> tuple[str, Guess]:
    """Return the task that fits the target, or the one that the settings name.

    Args:
        column: its labels.
        config: settings; `task` names the task, and `table.order` lists the classes of an ordinal one.
        reading: conversion of the target's cells to labels.

    Raises:
        SchemaError: the target has no values, or only one.
    """
    place, how_read = f"column {column.name!r}", reading.reason if reading else ""
    if column.origin.unread:
        raise SchemaError(
            f"the target contains {column.origin.unread}",
            place=place,
            rule="labels or numbers",
            cure=column.origin.cure,
        )
    if column.is_list and pa.types.is_nested(column.data.type.value_type):
        raise SchemaError(
            f"the target has Arrow type {column.data.type}", place=place, rule="labels, lists of labels, or numbers"
        )
    if not len(column.values):
        raise SchemaError("the target is missing in every row", place=place)
    if column.distinct < 2 and (column.spelling is None or len(column.spelling.drop_null().unique()) < 2):
        raise SchemaError(
            f"the target is always {column.sample(1)[0]!r}",
            place=place,
            rule="at least two different values",
            cure=_second_value(column),
        )
    if config.task:
        tasks.entry(config.task)
        return config.task, Guess(
            1.0, _joined(how_read, "by setting"), _joined(_refused(column, config), in_seconds(column))
        )
    if column.name in config.table.order:
        return "ordinal", Guess(1.0, _joined(how_read, "table.order lists its classes in order"), in_seconds(column))
    if reading and reading.lists.kind == "place":
        return "binary" if column.distinct == 2 else "multiclass", Guess(1.0, how_read)
    name, guess = _claimed(column, config)
    caution = "" if config.tasks else guess.caution  # the user has chosen the tasks
    guess = Guess(guess.confidence, _joined(how_read, guess.reason), _joined(caution, in_seconds(column)))
    if not name and pa.types.is_temporal(column.data.type):
        cure = "convert it to a number, such as the days since 2020-01-01; as text, its values are classes"
        raise SchemaError("the target contains dates or times", place=place, rule="labels or numbers", cure=cure)
    if not name:
        cure = f"set the task, --task (Python: task=): {' or '.join(tasks.names())}"
        raise SchemaError("no task fits the target", place=place, cure=cure)
    return name, guess


def _claimed(column: Column, config: Config) -> tuple[str | None, Guess]:
    name, guess = best_claim(tasks, column, flag="--task {}".format)
    if name == "several":
        guess = tasks.load(name).claim(column, config)  # by the settings of its targets
    return name, guess


def _second_value(column: Column) -> str:
    """Return a cure for a target with a single value: an empty cell is an unknown label, not a second value."""
    if len(column.values) == len(column):
        return "choose another target"
    empty = len(column) - len(column.values)
    return f"if an empty cell means no, write a word such as no into the {count(empty, 'empty cell')}"


def _refused(column: Column, config: Config) -> str:
    """Return why the task in the settings rejects the target; empty if it gives no reason."""
    guess: Guess | None = tasks.load(config.task or "").looks_like(column)
    return guess.caution if guess and guess.confidence <= 0 else ""


def in_seconds(column: Column) -> str:
    """Describe the unit of predictions if the target's cells were converted."""
    return f"{column.origin.converted}; predictions are in seconds" if column.origin.converted else ""


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))
