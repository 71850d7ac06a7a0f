"""Spell settings in messages, quoted for the shell and for `parse_assignments`, so that they can be copied."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from sensorium.config._layers import nest

LONGEST = 200  # characters of a value in a message

AS_IT_STANDS = re.compile(r'[^".=][^.=]*')  # a name that no dot, equals sign or quote cuts
NO_KEYWORDS = frozenset(("table", "prepare"))  # groups of settings that Python passes in `config`


def key_of(*names: str) -> str:
    """Join names to one key: `modalities."Order.Date".day_first`; a quote in a quoted name is doubled."""
    return ".".join(name if AS_IT_STANDS.fullmatch(name) else '"{}"'.format(name.replace('"', '""')) for name in names)


def setting_of(column: str, option: str) -> str:
    """Return the key of a column's option; `=value` may follow it."""
    return shlex.quote(key_of("modalities", column, option))


def set_option(column: str, option: str, value: object) -> str:
    """Return the flag that sets an option of a column: `--set 'modalities."Order.Date".day_first=false'`."""
    return set_value(key_of("modalities", column, option), value)


def set_value(key: str, value: object) -> str:
    """Return the flag that sets a setting: `--set 'table.comment=#'`."""
    return f"--set {shlex.quote(f'{key}={value}')}"


def set_both(key: str, value: Any) -> str:
    """Return the flag and the Python argument that set a setting, for errors that both can reach.

    `--set train.epochs=3 (Python: train={'epochs': 3})`; the key must have no quoted names.
    """
    shown = value if isinstance(value, str) else json.dumps(value)
    return f"{set_value(key, shown)} (Python: {in_python(key, value)})"


def in_python(key: str, value: Any) -> str:
    """Spell a setting as an argument: `train.epochs` and 3 → `train={'epochs': 3}`."""
    group, *names = key.split(".")
    tree = nest(names, value) if names else value
    return f"config={ {group: tree}!r}" if group in NO_KEYWORDS else f"{group}={tree!r}"


def set_missing(words: Sequence[str]) -> str:
    """Return the flag that sets the words for missing cells, in addition to empty cells."""
    return set_value("table.missing", json.dumps(["", *words], ensure_ascii=False))


def as_modality(column: str, modality: str) -> str:
    """Return the flag that sets the modality of a column: `--modality 'WBC 10^9/L=category'`."""
    return f"--modality {shlex.quote(f'{column}={modality}')}"


def exclude_column(column: str) -> str:
    """Return the flag that excludes a column: `--exclude 'Order Date'`; the flag separates names by commas."""
    if "," in column:
        return set_value("exclude", json.dumps([column], ensure_ascii=False))
    return f"--exclude {shlex.quote(column)}"


def as_yaml(name: str) -> str:
    """Spell a name as the value of a setting, quoted if YAML would not read it as text."""
    plain = name.isidentifier() and name.lower() not in ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
    # YAML takes further characters for line breaks, such as U+2028: they are written as escapes.
    return name if plain else json.dumps(name, ensure_ascii=not name.isprintable())


def dump_yaml(tree: Mapping[str, Any], *, width: int = 80) -> str:
    """Return settings as YAML that reads back as they are: a line break of Unicode (U+0085) is written as an escape."""
    import yaml

    def write(plain: bool) -> str:
        return str(yaml.safe_dump(dict(tree), allow_unicode=plain, sort_keys=False, width=width))

    text = write(plain=True)
    return text if text.replace("\n", "").isprintable() else write(plain=False)


def as_given(value: object) -> str:
    """Return how Python writes a value, for a message: shortened, and also of what cannot be written."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested thousands of times, or a number of thousands of digits
        return f"this {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
