"""Explain flags of the command line that are given as settings, as in `fit(check_imbalance=True)`."""

from __future__ import annotations

from typing import Any

from sensorium.config._spelling import in_python, set_value
from sensorium.errors import ConfigError
from sensorium.registry.renames import FLAG, find_rename

# Flag without a value → the setting, and its value with and without the flag.
SETTINGS = {"check_imbalance": ("train.imbalance", "auto", "off")}


def explain_flag(name: str, value: Any) -> ConfigError | None:
    """Return the error of a flag in place of a setting; None if no flag of `fit` has this name or had it.

    Args:
        name: the given name: the full name, of which the last part counts.
        value: the given value.
    """
    given = f"--{name.rpartition('.')[2].replace('_', '-')}"
    renamed = find_rename(FLAG, given, "fit")
    flag = renamed.new if renamed else given
    key = flag.removeprefix("--").replace("-", "_")
    if key not in SETTINGS:
        return None
    setting, on, off = SETTINGS[key]
    meant = on if value else off
    said = f"the flag {renamed.old} was renamed {flag}" if renamed else f"it is the flag {flag}"
    cure = f"{set_value(setting, meant)} (Python: {in_python(setting, meant)})"
    return ConfigError(f"{name} is not a setting: {said}, which sets {setting}", place=name, cure=cure)
