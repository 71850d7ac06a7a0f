"""Resolve unquoted keys of columns with dots in their names: `modalities.Order.Date.day_first=false`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sensorium.config._config import Config
from sensorium.config._layers import overlay
from sensorium.config._types import Choice
from sensorium.registry import encoders, modalities

PARTS = {"modalities": modalities, "encoders": encoders}  # column → a choice


def of_columns(config: Config, columns: Collection[str]) -> Config:
    """Move settings of a column to its full name, the longest name that matches a column of the table."""
    names = frozenset(columns)
    return config.model_copy(
        update={part: _joined(getattr(config, part), names, known.entries) for part, known in PARTS.items()}
    )


def _joined(choices: Mapping[str, Choice], columns: frozenset[str], known: Collection[str]) -> dict[str, Choice]:
    given, from_dotted = dict[str, Any](), dict[str, Any]()
    for name, choice in choices.items():
        options, found = _parted(name, choice.options, columns, known)
        if choice.name or options or not found:
            given[name] = ({"name": choice.name} if choice.name else {}) | options
        from_dotted = overlay(from_dotted, found)
    if not from_dotted:
        return dict(choices)
    return {name: Choice.model_validate(options) for name, options in overlay(from_dotted, given).items()}


def _parted(
    name: str, options: Mapping[str, Any], columns: frozenset[str], known: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split options into those of this name and those of columns with a longer name."""
    own, found = dict[str, Any](), dict[str, Any]()
    for option, value in options.items():
        longer = f"{name}.{option}"
        if isinstance(value, Mapping):
            value, deeper = _parted(longer, value, columns, known)
            found = overlay(found, deeper)
            if deeper and not value:
                continue
        named = isinstance(value, Mapping) or (isinstance(value, str) and (name not in columns or value in known))
        if named and longer in columns:
            found[longer] = value
        else:
            own[option] = value
    return own, found
