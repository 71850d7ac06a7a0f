r"""Data is never markup: text of a table as a terminal or a page may show it.

A cell, a name or a path may hold what a terminal obeys (escape sequences, backspaces) or what makes a line read as
another one (overrides of the direction). Such characters are shown by their codes, as Python writes them: `\x1b`.
Letters, accents, joiners of emoji and marks of right-to-left texts stay as they are.
"""

from __future__ import annotations

import re
from typing import Any

# Control characters, line and paragraph separators, embeddings and overrides of the direction, invisible tags, the
# byte-order mark, annotations, and halves of characters, which no encoding can write.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_BREAKS = str.maketrans({"\n": "\\n", "\t": "\\t"})


def printable(text: str) -> str:
    """The text with its control characters shown; line breaks and tabs stay."""
    return _CONTROL.sub(_code, text)


def one_line(value: object) -> str:
    """The same on one line: line breaks and tabs are shown, too, so that no cell can pass for a line of its own."""
    return printable(str(value)).translate(_BREAKS)


def printable_json(content: Any) -> str:
    """JSON on one line, whose strings keep every character: what may not be shown is escaped."""
    import json

    return _CONTROL.sub(_json_code, json.dumps(content, ensure_ascii=False, allow_nan=False))


def _code(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def _json_code(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
