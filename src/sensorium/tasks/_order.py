"""Find the order of the classes of a target."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.config import key_of, set_value
from sensorium.errors import ConfigError, SchemaError, did_you_mean
from sensorium.findings import Problem, shorten
from sensorium.labels import UNSEEN, Names, value_of
from sensorium.registry.traits import traits_of
from sensorium.table import Column
from sensorium.tasks._base import Label
from sensorium.tasks._classes import classes_of

Order: TypeAlias = Mapping[str, Sequence[str]]  # target → its labels, the lowest first

ORDERED = "ordered classes"  # trait of the tasks that use the order
MOST = 100  # classes of numbers, beyond which they are amounts
SHOWN = 5  # labels that a message names


def ordered_classes(column: Column, order: Order, *, fold_case: bool = False) -> tuple[list[Label], list[str]]:
    """Return the distinct labels, the lowest first, and the labels of the order that do not occur.

    The order is that of the settings, else that of an ordered categorical column, else that of numbers.

    Args:
        column: labels of the training rows.
        order: the setting `table.order`.
        fold_case: whether labels that differ only in case are the same.

    Raises:
        SchemaError: nothing orders the labels, a label is not in the order, or there are too many different numbers.
    """
    classes = classes_of(column)
    listed = order.get(column.name, column.origin.order)
    if not listed:
        return _by_value(classes, column), []
    places = Names(listed, fold_case).find(Column(column.name, pa.array(classes), column.files))
    _check_places(classes, places, listed, column)
    absent = [label for place, label in enumerate(listed) if place not in places]
    return [classes[at] for at in np.argsort(places, kind="stable")], absent


def check_order_is_used(order: Order, kinds: Mapping[str, str]) -> None:
    """Check that the setting `table.order` orders ordinal targets only.

    Args:
        order: the setting.
        kinds: target → registered name of its task.

    Raises:
        ConfigError: it names another column.
    """
    for name in order:
        if ORDERED in traits_of(kinds.get(name, "")):
            continue
        rule = "the order of the classes of an ordinal target"
        set_task = set_value(key_of("tasks", name), "ordinal") if len(kinds) > 1 else "--task ordinal"
        cure = f"{set_task}, or remove {name!r} from table.order" if name in kinds else did_you_mean(name, kinds)
        raise ConfigError(f"{name!r} is not an ordinal target", place="table.order", rule=rule, cure=cure)


def about_absent(absent: Sequence[str], column: str) -> list[Problem]:
    """Report labels of the order that no training row has."""
    if not absent:
        return []
    shown = ", ".join(repr(shorten(label)) for label in absent[:SHOWN]) + (", …" if len(absent) > SHOWN else "")
    reason = f"no training row has {shown}, which the order lists: the model does not predict it"
    return [Problem(None, column, reason, f"remove it from {key_of('table', 'order', column)}, or use another split")]


def _check_places(classes: list[Label], places: npt.NDArray[np.int64], listed: Sequence[str], column: Column) -> None:
    wrong = [label for label, place in zip(classes, places, strict=True) if place < 0]
    if not wrong:
        return
    shown = ", ".join(repr(shorten(label)) for label in wrong[:SHOWN])
    finding = f"the order has no place for {shown}" if (places == UNSEEN).any() else f"{shown} is several times in it"
    raise SchemaError(
        finding,
        place=f"column {column.name!r}",
        rule=f"each label once, the lowest first; the order is {', '.join(map(repr, listed[:SHOWN]))}"
        + (", …" if len(listed) > SHOWN else ""),
        cure=f"list every label in {key_of('table', 'order', column.name)}, or correct the table",
    )


def _by_value(classes: list[Label], column: Column) -> list[Label]:
    place, text = f"column {column.name!r}", [label for label in classes if value_of(label) is None]
    if text:
        key = key_of("table", "order", column.name)
        example = json.dumps([str(label) for label in classes], ensure_ascii=False)
        python = {"table": {"order": {column.name: [str(label) for label in classes]}}}
        raise SchemaError(
            f"the order of the labels is unknown: {', '.join(repr(shorten(label)) for label in text[:SHOWN])}",
            place=place,
            rule="numbers, an ordered categorical column, or labels listed in the settings",
            cure=f"list them from the lowest to the highest: {set_value(key, example)} (Python: config={python!r})",
        )
    if len(classes) > MOST:
        raise SchemaError(
            f"the target has {len(classes):,} different numbers", place=place, rule=f"at most {MOST} ordered classes",
            cure="--task regression (Python: task='regression')",
        )  # fmt: skip
    return classes
