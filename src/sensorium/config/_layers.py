"""Read settings from files, and merge trees of settings."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sensorium.errors import ConfigError


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML settings file as nested dicts.

    Raises:
        ConfigError: the file is missing, is not valid YAML, or holds no mapping.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read the settings: {error}", place=str(path)) from None
    if not isinstance(content, dict):
        raise ConfigError("the settings file must hold a mapping", place=str(path), rule="YAML of `key: value` lines")
    return content


MISSING = object()


def nest(keys: Sequence[str], value: Any) -> dict[str, Any]:
    """Nest a value under its keys: `["train", "epochs"]` → `{"train": {"epochs": value}}`."""
    for key in reversed(keys):
        value = {key: value}
    return typing.cast(dict[str, Any], value)


def value_at(tree: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """Return the value of a full name, such as `train.epochs`, in a tree of settings."""
    for key in name.split("."):
        if not isinstance(tree, Mapping) or key not in tree:
            return default
        tree = tree[key]
    return tree


def without(tree: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a tree of settings without the setting of a full name."""
    first, _, rest = name.partition(".")
    if not rest or not isinstance(tree.get(first), Mapping):
        return {key: value for key, value in tree.items() if rest or key != first}
    return {**tree, first: without(tree[first], rest)}


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two trees of settings; the second overrides the first."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            # A newly named choice starts from its own options, not from those of the one it replaces.
            renamed = "name" in value and value["name"] != old.get("name", value["name"])
            merged[key] = dict(value) if renamed else overlay(old, value)
        elif isinstance(old, str) and isinstance(value, Mapping) and "name" not in value:
            merged[key] = {"name": old, **value}
        elif isinstance(old, list) and isinstance(value, Mapping) and all(isinstance(name, str) for name in old):
            merged[key] = overlay({name: {} for name in old}, value)
        else:
            merged[key] = value
    return merged
