"""Parse settings from the command line: `train.epochs=3`, `table.comment=#`."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sensorium.config._layers import MISSING, nest, overlay
from sensorium.config._spelling import key_of
from sensorium.errors import ConfigError

NAME = re.compile(r'"(?P<quoted>(?:[^"]|"")*)"(?=[.=]|$)|(?P<plain>[^.=]*)')
NULL = frozenset({"", "~", "null", "Null", "NULL"})
NOTHING: tuple[Any, ...] = (None, "", [None], {None: None})  # what YAML makes of `#`, `|`, `-` and `?`
QUOTES, BRACKETS = ('"', "'"), ("[", "{")
SHOWN = 60


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Parse assignments such as `["train.epochs=3", "fusion.name=gated"]` to nested dicts.

    Put a name with a dot or an equals sign in quotes: `modalities."clip.sound".mels=20`. Values are parsed as YAML; a
    value that is empty or invalid in YAML is taken as text: `table.comment=#`.

    Raises:
        ConfigError: the key or `=` is missing, a list or mapping is not closed, or a key is set to two values.
    """
    result: dict[str, Any] = {}
    for text in assignments:
        keys, value = _parted(text)
        if not value.startswith("=") or not keys[0]:
            raise ConfigError(f"{text!r} sets nothing", rule="key=value, as in train.epochs=3")
        merged = overlay(result, nest(keys, _value(value[1:], text)))
        for name, earlier in _leaves(result):
            if not _holds(merged, name, earlier):
                finding = f"{key_of(*name)} is set twice" if tuple(keys) == name else f"{text} replaces {key_of(*name)}"
                raise ConfigError(finding, place=f"--set {text}", rule="a setting has one value", cure="set it once")
        result = merged
    return result


def _leaves(tree: Mapping[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the keys that lead to each value, and the value."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, *above, str(key))
        else:
            yield (*above, str(key)), value


def _holds(tree: Any, keys: Sequence[str], value: Any) -> bool:
    """Return whether a tree holds a value, alone or as the name or the names of a mapping with options."""
    for key in keys:
        if not isinstance(tree, Mapping):
            return False
        tree = next((part for name, part in tree.items() if str(name) == key), MISSING)
    if isinstance(tree, Mapping) and not isinstance(value, Mapping):
        return tree.get("name") == value or (isinstance(value, list) and all(name in tree for name in value))
    return bool(tree == value) or (isinstance(tree, Mapping) and value == {})


def _parted(text: str) -> tuple[list[str], str]:
    """Split a key at the dots outside quotes; return its names and the rest of the text."""
    keys, end = list[str](), -1
    while end < 0 or text[end : end + 1] == ".":
        found = typing.cast(re.Match[str], NAME.match(text, end + 1))
        quoted = found["quoted"]
        keys.append(found["plain"] if quoted is None else quoted.replace('""', '"'))
        end = found.end()
    return keys, text[end:]


def _value(text: str, assignment: str) -> Any:
    import yaml

    from sensorium.config._yaml import load_yaml

    bare = text.strip()
    try:
        value = load_yaml(text)
    except (yaml.YAMLError, ValueError) as error:  # a ValueError: 2026-02-31
        if bare.startswith(BRACKETS):
            raise _broken(assignment, error) from None
        return bare or text
    quoted = bare.startswith(QUOTES)
    if value in NOTHING and not quoted and not bare.startswith(BRACKETS):
        return None if text in NULL or bare in NULL - {""} else bare or text
    # YAML takes ` #` in a text for a comment: there is none on a command line.
    as_written = isinstance(value, str) and not (quoted or bare.startswith("!") or "\n" in bare)
    return bare if as_written else value


def _broken(text: str, error: Exception) -> ConfigError:
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    reason = getattr(error, "problem", None) or error
    return ConfigError(
        f"{shown!r} sets no value: {reason}",
        place=text.partition("=")[0],
        rule="a complete list or mapping: [a, b], {key: value}",
        cure="close every bracket and quote, and write each key once; put text that begins with a bracket in quotes",
    )
