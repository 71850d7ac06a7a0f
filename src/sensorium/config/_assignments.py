"""Parse settings from the command line: `train.epochs=3`, `table.comment=#`."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from sensorium.config._layers import nest, overlay
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
    for place, text in enumerate(assignments):
        keys, value = _parted(text)
        if not value.startswith("=") or not keys[0]:
            raise ConfigError(f"{text!r} sets nothing", rule="key=value, as in train.epochs=3")
        nested = nest(keys, _value(value[1:], text))
        if text not in assignments[:place] and _is_set(result, keys):
            raise ConfigError(f"{'.'.join(keys)} is set twice", place=f"--set {text}", cure="set it once")
        result = overlay(result, nested)
    return result


def _is_set(tree: Mapping[str, Any], keys: Sequence[str]) -> bool:
    """Return whether an earlier assignment has set these keys, or a whole mapping of which they are a part."""
    for key in keys:
        if not isinstance(tree, Mapping) or key not in tree:
            return False
        tree = tree[key]
    return not isinstance(tree, Mapping)


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
