"""Read settings from files, and merge trees of settings."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sensorium.errors import ConfigError


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML settings file as nested dicts.

    Raises:
        ConfigError: the file is missing, is not valid YAML, or holds no mapping.
    """
    import yaml

    from sensorium.config._yaml import load_yaml

    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read the settings: {error}", place=str(path)) from None
    if not isinstance(content, dict):
        raise ConfigError("the settings file must hold a mapping", place=str(path), rule="YAML of `key: value` lines")
    return content


def check_tree(layer: Mapping[str, Any]) -> None:
    """Check that settings end, which those of a YAML file that refers to itself do not, and so do their numbers.

    Raises:
        ConfigError: they do not.
    """
    level: list[tuple[str, Any]] = [("", layer)]
    for _ in range(DEEPEST):
        inner = [pair for name, group in level for pair in _parts(name, group)]
        level = [(name, part) for name, part in inner if isinstance(part, Mapping | list | tuple)]
        for name, part in inner:
            if isinstance(part, int) and abs(part) >= 2**63:
                rule = "an integer between -(2**63 - 1) and 2**63 - 1"
                raise ConfigError(f"setting {name} is too large", place=name, rule=rule)
        if len(level) > WIDEST:
            break
    if level:
        rule = f"up to {DEEPEST} levels, and up to {WIDEST:,} groups and lists in a level"
        raise ConfigError("the settings are nested too deeply, or refer to themselves", place="config", rule=rule)


def _parts(name: str, group: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parts of a group or list with their full names; those of a list have its name."""
    if isinstance(group, Mapping):
        for key, part in group.items():
            yield (f"{name}.{key}" if name else str(key)), part
    else:
        for part in group:
            yield name, part


MISSING = object()
DEEPEST, WIDEST = 50, 100_000


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
