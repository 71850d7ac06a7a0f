"""Check the preprocessing settings that are saved with a pretrained model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sensorium.errors import ConfigError

OF_MODEL = ("form", "mels", "frames", "steps")  # that the model's own settings say
LARGEST = {"size": 4096, "rate": 1_000_000, "samples": 2**26, "window": 2**16, "hop": 2**16, "frames": 100_000}
MOST = 2**20  # of any other whole number
COLOURS = (1, 3)  # numbers of a mean or a deviation of colours


def check_preprocessing(found: Any, usual: Mapping[str, Any]) -> None:
    """Check that saved preprocessing settings have the form that `Pretrained.preprocess` returns.

    Args:
        found: as saved.
        usual: what it returns for the model's configuration alone.

    Raises:
        ConfigError: an entry is missing, unknown, of a wrong type, out of bounds, or does not match the model.
    """
    if not isinstance(found, Mapping) or found.keys() != usual.keys():
        names = sorted(found) if isinstance(found, Mapping) else type(found).__name__
        raise _fault(f"they are {names}", f"exactly these entries: {', '.join(usual)}")
    for name, value in found.items():
        if name in OF_MODEL and value != usual[name]:
            raise _fault(f"{name} is {value!r}", f"{usual[name]!r}, as the model has it")
        if not _is_like(value, usual[name], name):
            raise _fault(f"{name} is {value!r}", f"a value such as {usual[name]!r}")
    if "samples" in found and found["samples"] * usual["hop"] != usual["samples"] * found["hop"]:
        raise _fault(f"samples is {found['samples']}", "samples must equal frames × hop")
    if "hop" in found and found["window"] < 2:
        raise _fault(f"window is {found['window']}", "window must be two samples or more")


def _is_like(value: Any, usual: Any, name: str) -> bool:
    if isinstance(usual, bool | str):
        return type(value) is type(usual)
    if isinstance(usual, int):
        return type(value) is int and 0 < value <= LARGEST.get(name, MOST)
    if isinstance(usual, float):
        positive = name in ("deviation", "seconds")
        return type(value) in (int, float) and math.isfinite(value) and (value > 0 or not positive)
    numbers = isinstance(value, list) and len(value) in COLOURS
    return numbers and all(_is_like(entry, 1.0, name) for entry in value)


def _fault(finding: str, rule: str) -> ConfigError:
    return ConfigError(
        f"the preprocessing settings are wrong: {finding}"[:300], place="preprocessor_config.json", rule=rule
    )
