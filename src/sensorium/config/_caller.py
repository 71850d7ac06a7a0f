"""Settings that models do not save, because they decide what is read, fetched, run and written.

A model may come from an untrusted source, so the caller sets these each time. Such a setting has `CALLER_ONLY` in its
annotation, or in that of its group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sensorium.config._config import Config
from sensorium.config._layers import MISSING, value_at, without
from sensorium.config._tree import walk
from sensorium.errors import ConfigError


def caller_only() -> list[str]:
    """Return the names of these settings, such as `table.query`."""
    return [name for name, marked in every_setting() if marked]


def every_setting() -> Iterator[tuple[str, bool]]:
    """Yield the name of each setting, and whether only the caller sets it."""
    return ((name, marked) for name, _, marked in walk(Config))


def split_saved(saved: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Split settings: return those that models save, and the names of the others that were set.

    Args:
        saved: a tree of settings, as in a saved model.
    """
    plain, kept = Config().model_dump(mode="json"), saved
    names = [name for name in caller_only() if value_at(saved, name, MISSING) not in (MISSING, value_at(plain, name))]
    for name in caller_only():
        kept = without(kept, name)
    return dict(kept), names


def with_given(config: Config, given: Mapping[str, Any]) -> Config:
    """Add settings of the caller to those of a model.

    Raises:
        ConfigError: a setting is unknown, or cannot be changed after the fit.
    """
    if not given:
        return config
    Config.gather(given)  # raises the usual error for an unknown name or an invalid value
    allowed = [name for name in caller_only() if not name.startswith("train.")]
    settled = [name for name in _leaves(given) if name not in allowed]
    if settled:
        rule = f"only these settings of a fitted model can be changed: {', '.join(allowed)}"
        raise ConfigError(f"{', '.join(settled)} cannot be changed after the fit", place=settled[0], rule=rule)
    return Config.gather(config.model_dump(mode="json"), given)


def given_names(given: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings in a nested mapping that the caller may change after the fit."""
    return [name for name in caller_only() if value_at(given, name, MISSING) is not MISSING]


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
