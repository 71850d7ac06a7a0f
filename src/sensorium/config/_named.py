"""Find the settings that the user has set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sensorium.config._config import Config

UNSET: tuple[Any, ...] = (None, {}, [])  # values that leave a setting at its default


def named_settings(config: Config, names: Iterable[str]) -> list[str]:
    """Return those of some settings that are set, by whatever door.

    Args:
        config: the settings.
        names: full names, such as `train.epochs`.
    """
    return [name for name in names if _is_named(config, name)]


def _is_named(config: Config, name: str) -> bool:
    value: Any = config
    for part in name.split("."):
        if part not in value.model_fields_set:
            return False
        value = getattr(value, part)
    return value not in UNSET
