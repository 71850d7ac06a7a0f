"""Which task a target asks for: the registered tasks claim it, the best claim wins."""

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
    """The task that the target asks for, or the one that the settings name.

    Args:
        column: its labels.
        config: `task` names it.
        reading: how the target's cells became labels.

    Raises:
        SchemaError: the target has no values, or only one.
    """
    place, said = f"column {column.name!r}", reading.reason if reading else ""
    if column.origin.unread:
        raise SchemaError(
            f"the target holds {column.origin.unread}", place=place, rule="labels or numbers", cure=column.origin.cure
        )
    if column.is_list and pa.types.is_nested(column.data.type.value_type):
        raise SchemaError(
            f"the target holds {column.data.type}", place=place, rule="labels, lists of labels or numbers"
        )
    if not len(column.values):
        raise SchemaError("the target is missing in every row", place=place)
    if column.distinct < 2 and (column.spelling is None or len(column.spelling.drop_null().unique()) < 2):
        raise SchemaError(
            f"the target is always {column.sample(1)[0]!r}",
            place=place,
            rule="a target has two different values or more",
            cure=_second_value(column),
        )
    if config.task:
        tasks.entry(config.task)
        return config.task, Guess(1.0, _joined(said, "by setting"), _joined(_refused(column, config), _seconds(column)))
    if reading and reading.lists.kind == "place":
        return "binary" if column.distinct == 2 else "multiclass", Guess(1.0, said)
    name, guess = best_claim(tasks, column, flag="--task {}".format)
    caution = "" if config.tasks else guess.caution  # whoever chose has looked
    guess = Guess(guess.confidence, _joined(said, guess.reason), _joined(caution, _seconds(column)))
    if not name and pa.types.is_temporal(column.data.type):
        cure = "make it a number, such as the days since 2020-01-01; as text, its values are classes"
        raise SchemaError("the target holds dates or times", place=place, rule="labels or numbers", cure=cure)
    if not name:
        raise SchemaError("no task fits the target", place=place, cure=f"--task {' or '.join(tasks.names())}")
    return name, guess


def _second_value(column: Column) -> str:
    """What makes a target of one value one of two: an empty cell is a label that is not known, not one more value."""
    if len(column.values) == len(column):
        return "choose another target"
    empty = len(column) - len(column.values)
    return f"if an empty cell means no, write a word such as no into the {count(empty, 'empty cell')}"


def _refused(column: Column, config: Config) -> str:
    """Why the task that is set does not fit, where it says so."""
    guess: Guess | None = tasks.load(config.task or "").looks_like(column)
    return guess.caution if guess and guess.confidence <= 0 else ""


def _seconds(column: Column) -> str:
    """What the target's cells became, and its answers therefore are."""
    return f"{column.origin.converted}, and predictions are seconds" if column.origin.converted else ""


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))
