"""Read descriptions of arguments from docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

SECTIONS = {"Returns:", "Yields:", "Raises:", "Attributes:", "Example:", "Examples:"}
ARGUMENT = re.compile(r"^(\w+(?:, \w+)*): (.*)")


def argument_texts(taker: Callable[..., Any]) -> dict[str, str]:
    """Return argument → description, from the docstrings of a function, or of a class and its bases."""
    places = [*reversed(taker.__mro__)] if isinstance(taker, type) else [taker]
    found = dict[str, str]()
    for place in places:
        for documented in (place, vars(place).get("__init__") if isinstance(place, type) else None):
            found |= _of_docstring(inspect.cleandoc(getattr(documented, "__doc__", None) or ""))
    return found


def _of_docstring(text: str) -> dict[str, str]:
    _, _, rest = text.partition("Args:\n")
    found, names = dict[str, str](), list[str]()
    for bare in map(str.strip, rest.splitlines()):
        if bare in SECTIONS:
            break
        if match := ARGUMENT.match(bare):
            names = match[1].split(", ")
            found |= dict.fromkeys(names, match[2])
        else:
            found |= {name: f"{found[name]} {bare}".strip() for name in names}
    return found
