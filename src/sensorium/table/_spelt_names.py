"""Parse lists of names from text in the notation of JSON, Python, NumPy or PostgreSQL."""

from __future__ import annotations

import json
import re
from typing import Any

BARE = r"""[^\s,'"\[\](){}](?:[^,'"\[\](){}]*[^\s,'"\[\](){}])?"""
QUOTED = re.compile(rf"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|({BARE}))\s*(?:,|$|(?=['"]))""", re.DOTALL)
ESCAPED = re.compile(r"\\(.)")
GAPS = frozenset(("None", "nan", "NaN", "null", "NULL"))


def spelt_names(text: str) -> Any:
    """Parse a list of names in brackets: JSON, `['a', 'b']`, `['a' 'b']` or `{a,"b c"}`; None for any other text."""
    text = text.strip()
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    quoted = "'" in text or '"' in text
    if text[:1] + text[-1:] not in ("[]", "()", "{}") or not (quoted or text[0] == "{"):
        return None
    return _items(text[1:-1])


def _items(inside: str) -> list[str | None] | None:
    """Return the names between brackets; None if there is anything else, such as a mapping or an inner list."""
    found, place = list[str | None](), 0
    while inside[place:].strip():
        item = QUOTED.match(inside, place)
        if not item or (item.group(3) and ":" in item.group(3)):
            return None
        single, double, bare = item.groups()
        name = single if single is not None else double
        if name is None:
            name = None if bare.strip() in GAPS else bare
        found.append(None if name is None else ESCAPED.sub(r"\1", name))
        place = item.end()
    return found
