"""Identity of a run, as flat names and values, and the differences between two identities."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

HASH = "hash"  # group of hashes: messages say that they differ, without their digits
COLUMN, CONTENT = "column ", "content of column "  # names of the hashes of single columns begin so
READING = "reading of column "  # what was learned of a column: told of if nothing else differs, which explains it
TABLE, ORDER = f"{HASH}.table", f"{HASH}.order of the columns"


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


def differences(then: Mapping[str, Any], now: Mapping[str, Any], ignored: Collection[str] = ()) -> list[str]:
    """Describe the differences between two identities.

    The hash of the whole table counts only if one of them has no hashes of single columns, as in earlier versions.

    >>> from sensorium.files.identity import differences
    >>> differences({"train.epochs": 5, "hash.table": "a3"}, {"train.epochs": 9, "hash.table": "77"})
    ['the table changed', 'train.epochs was 5, is 9']
    >>> differences({"hash.table": "a3", "hash.column 'x'": "5d"}, {"hash.table": "77", "hash.column 'x'": "e0"})
    ["the column 'x' changed"]
    """
    by_column = _has_columns(then) and _has_columns(now)
    skipped = {*ignored, TABLE} if by_column else {*ignored, *(name for name in {*then, *now} if _is_of_column(name))}
    if ORDER not in then or ORDER not in now:
        skipped.add(ORDER)
    then, now = _without_groups(then, now), _without_groups(now, then)
    names = [name for name in sorted((then.keys() | now.keys()) - skipped) if then.get(name) != now.get(name)]
    causes = [name for name in names if not name.startswith(f"{HASH}.{READING}")]
    return [_difference(name, then, now) for name in causes or names]


def _without_groups(tree: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out an empty group that has entries in the other tree: the entries are the difference.

    An empty mapping that the other tree lacks is a value: a technique without options, say.
    """
    return {
        name: value
        for name, value in tree.items()
        if not (value == {} and any(each.startswith(f"{name}.") for each in other))
    }


def _has_columns(tree: Mapping[str, Any]) -> bool:
    return any(_is_of_column(name) for name in tree)


def _is_of_column(name: str) -> bool:
    return name.startswith(tuple(f"{HASH}.{kind}" for kind in (COLUMN, CONTENT, READING)))


def _difference(name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    group, _, what = name.partition(".")
    if group != HASH:
        return f"{name} was {_spelt(then, name)}, is {_spelt(now, name)}"
    change = "was not used before" if then.get(name) is None else "is no longer used" if now.get(name) is None else ""
    return f"the {what} {change or 'changed'}"


def _spelt(tree: Mapping[str, Any], name: str) -> str:
    """Spell a value as in a file of settings."""
    value = tree.get(name)
    if value is None:
        return "not set"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
