"""Settings from files and from the command line, laid over each other."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sensorium.errors import ConfigError


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML settings file as nested dicts.

    Raises:
        ConfigError: missing file, bad YAML, or not a mapping.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"the settings can't be read: {error}", place=str(path)) from None
    if not isinstance(content, dict):
        raise ConfigError("the settings are no mapping", place=str(path), rule="YAML of `key: value` lines")
    return content


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """`["train.epochs=3", "fusion.name=gated"]` → nested dicts; values are read as YAML.

    A name that has a dot in it stands in quotes: `modalities."clip.sound".mels=20`.
    """
    import yaml

    result: dict[str, Any] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"{text!r} sets nothing", rule="key=value, as in train.epochs=3")
        try:
            result = overlay(result, _nest(_keys(key), yaml.safe_load(value)))
        except yaml.YAMLError as error:
            raise ConfigError(f"{text!r} sets no value: {error}", place=key, rule="a YAML value") from None
    return result


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One tree of settings laid over another."""
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


def _keys(path: str) -> list[str]:
    """Parted at the dots that stand outside of quotes."""
    return [quoted or plain for quoted, plain in re.findall(r'(?:^|\.)(?:"([^"]*)"(?=\.|$)|([^.]*))', path)]


def _nest(keys: list[str], value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        value = {key: value}
    return typing.cast(dict[str, Any], value)
