"""Turn the faults that pydantic finds in a tree of settings into errors: what, where, what it must be."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import pydantic
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sensorium.config._flags import explain_flag
from sensorium.config._renamed import explain_rename
from sensorium.config._requirement import OWN_REASON, annotation_of, requirement
from sensorium.config._spelling import as_given
from sensorium.config._tree import group_of, groups, walk
from sensorium.errors import ConfigError, did_you_mean

Path = Sequence[int | str]


def explain_faults(
    model: type[BaseModel], error: pydantic.ValidationError, tree: Mapping[str, Any]
) -> list[ConfigError]:
    """Return an error for each wrong setting.

    Args:
        model: the tree of settings.
        error: what pydantic found.
        tree: the given settings.
    """
    found: dict[tuple[str, ...], ConfigError] = {}
    for fault in error.errors():
        path, explained = _explain(model, fault, tree)
        found.setdefault(path, explained)  # a value of several types has a fault for each of them
    return list(found.values())


def _explain(model: type[BaseModel], fault: Any, tree: Mapping[str, Any]) -> tuple[tuple[str, ...], ConfigError]:
    path = fault["loc"]
    if fault["type"] == "extra_forbidden":
        return path, _explain_name(model, list(map(str, path)), fault["input"])
    if fault["type"] == OWN_REASON and isinstance(fault["input"], Mapping) and not _is_field(model, path):
        return path, ConfigError(str(fault["ctx"]["error"]), place=".".join(map(str, path)))  # of several settings
    depth, field = _field(model, path)
    if field is None or (depth == len(path) and fault["type"] == "model_type" and group_of(field.annotation)):
        rule, keys = "a mapping of settings", list[str]()
    else:
        rule, keys = requirement(annotation_of(field), fault, path[depth:])
    full = (*map(str, path[:depth]), *keys)
    place = ".".join(full)
    if fault["type"] == "missing" and depth == len(path):
        return full, ConfigError(f"setting {place} is missing", place=place, rule=rule)
    return full, ConfigError(f"setting {place} cannot be {as_given(_given(tree, full, fault))}", place=place, rule=rule)


def _explain_name(model: type[BaseModel], path: list[str], value: Any) -> ConfigError:
    """Return the error of an unknown setting."""
    place = ".".join(path)
    known_fault = explain_rename(place, value) or explain_flag(place, value)
    if known_fault:
        return known_fault
    every = [*(name for name, _, _ in walk(model)), *groups(model)]
    leaves = {name.rpartition(".")[2] for name in every} if len(path) == 1 else set()
    near = [name for name in leaves if difflib.get_close_matches(path[-1], [name])]  # it may stand alone, too
    cure = did_you_mean(path[-1], [*_known_keys(model, path[:-1]), *near])
    return ConfigError(f"unknown setting {path[-1]!r}", place=place, cure=cure)


def _known_keys(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    for part in path:
        group = group_of(model.model_fields[part].annotation)
        if group is None:
            return []
        model = group
    return list(model.model_fields)


def _field(model: type[BaseModel], path: Path) -> tuple[int, FieldInfo | None]:
    """Return the setting that a path leads into, and the number of names that lead to it."""
    found: FieldInfo | None = None
    for depth, part in enumerate(path):
        if part not in model.model_fields:
            return depth, found
        found = model.model_fields[str(part)]
        group = group_of(found.annotation)
        if group is None:
            return depth + 1, found
        model = group
    return len(path), found


def _is_field(model: type[BaseModel], path: Path) -> bool:
    """Return whether a path leads into a setting, and not to a group of them."""
    _, field = _field(model, path)
    return field is not None and group_of(field.annotation) is None


def _given(tree: Any, path: Sequence[str], fault: Any) -> Any:
    for part in path:
        if not isinstance(tree, Mapping) or part not in tree:
            return fault["input"]
        tree = tree[part]
    return tree
