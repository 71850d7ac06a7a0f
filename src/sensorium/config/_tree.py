"""Walk the tree of settings and resolve short names."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sensorium.config._layers import MISSING, nest, overlay, value_at
from sensorium.config._types import CALLER_ONLY
from sensorium.errors import ConfigError


def walk(model: type[BaseModel], prefix: str = "", marked: bool = False) -> Iterator[tuple[str, FieldInfo, bool]]:
    """Yield each setting's full name, its field, and whether only the caller sets it.

    Args:
        model: the group.
        prefix: prefix of the names.
        marked: whether only the caller sets the whole group.
    """
    for name, field in model.model_fields.items():
        own = marked or CALLER_ONLY in field.metadata
        group = group_of(field.annotation)
        if group:
            yield from walk(group, f"{prefix}{name}.", own)
        else:
            yield f"{prefix}{name}", field, own


def groups(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Return the full name of each group of settings, such as `train.unfreeze`."""
    for name, field in model.model_fields.items():
        if group := group_of(field.annotation):
            yield f"{prefix}{name}"
            yield from groups(group, f"{prefix}{name}.")


def at_full_names(model: type[BaseModel], layer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a layer of settings with short names replaced: `learning_rate` by `train.learning_rate`.

    A group has a short name too: `unfreeze` is `train.unfreeze`. If several settings have the same short name, it means
    the one whose group contains the groups of all others.

    Args:
        model: the tree.
        layer: the given settings. Unknown names are left unchanged.

    Raises:
        ConfigError: several settings have the name, or it is given twice.
    """
    found = {key: value for key, value in layer.items() if not isinstance(key, str) or key in model.model_fields}
    every = [*(name for name, _, _ in walk(model)), *groups(model)]
    for key in [key for key in layer if key not in found]:
        full = _full_name(key, [name for name in every if name.rpartition(".")[2] == key])
        if full != key and value_at(layer, full, MISSING) not in (MISSING, layer[key]):
            raise ConfigError(f"{key} and {full} are both set", place=full, cure="omit one of them")
        found = overlay(found, nest(full.split("."), layer[key]))
    return found


def _full_name(key: str, names: list[str]) -> str:
    if not names:
        return key
    shortest = min(names, key=len)
    group = shortest.rpartition(".")[0]
    if not all(name.startswith(f"{group}.") for name in names):
        raise ConfigError(f"several settings are called {key!r}", place=key, cure=f"one of: {', '.join(names)}")
    return shortest


def group_of(annotation: Any) -> type[BaseModel] | None:
    """Return the group of settings of a field, or None; a choice with free options is not a group."""
    kinds = [kind for kind in (annotation, *typing.get_args(annotation)) if isinstance(kind, type)]
    return next(
        (kind for kind in kinds if issubclass(kind, BaseModel) and kind.model_config["extra"] == "forbid"), None
    )
