"""Turn arguments of Python functions into settings."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sensorium.config._arguments import as_plain
from sensorium.config._layers import read_yaml


def read_settings(config: str | os.PathLike[str] | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return settings that are given as a mapping, or as the path of a YAML file.

    Raises:
        ConfigError: the file cannot be read.
    """
    return dict(config or {}) if isinstance(config, Mapping | None) else read_yaml(Path(config))


def target_setting(target: str | Collection[str] | None) -> dict[str, Any]:
    """Return the argument `target` as settings; None sets nothing."""
    plain = as_plain(target)
    return {} if plain is None else {"target": plain if isinstance(plain, str) else list(plain)}
