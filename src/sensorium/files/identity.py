"""Identity of a run, as flat names and values, and the differences between two identities."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

HASH = "hash"  # group of hashes: messages say that they differ, without their digits


def flatten(tree: Mapping[str, Any], ignored: Collection[str] = (), above: str = "") -> dict[str, Any]:
    """Flatten nested values to dotted name → value, without ignored names.

    >>> from sensorium.files.identity import flatten
    >>> flatten({"train": {"epochs": 5, "checkpoint": 60}}, ignored=["train.checkpoint"])
    {'train.epochs': 5}
    """
    found: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping) and value:
            found |= flatten(value, ignored, f"{name}.")
        elif name not in ignored:
            found[name] = value
    return found


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Describe the differences between two identities.

    >>> from sensorium.files.identity import differences
    >>> differences({"train.epochs": 5, "hash.table": "a3"}, {"train.epochs": 9, "hash.table": "77"})
    ['the table changed', 'train.epochs was 5, is 9']
    """
    names = [name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name)]
    return [_difference(name, then.get(name), now.get(name)) for name in names]


def _difference(name: str, then: Any, now: Any) -> str:
    group, _, what = name.partition(".")
    return f"the {what} changed" if group == HASH else f"{name} was {then}, is {now}"
