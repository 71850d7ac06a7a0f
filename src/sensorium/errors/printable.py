r"""Make text of a table safe to show on a terminal or a page.

A cell, a name or a path may contain characters that a terminal obeys (escape sequences, backspaces) or that change the
text direction. Such characters are shown as escapes, as in Python: `\x1b`. Letters, accents, joiners of emoji and marks
of right-to-left texts are unchanged.
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
    """Return the text with its control characters escaped; line breaks and tabs are kept."""
    return _CONTROL.sub(_code, text)


def one_line(value: object) -> str:
    """Return the text on one line: line breaks and tabs are escaped too, so that a cell cannot imitate another line."""
    return printable(str(value)).translate(_BREAKS)


def printable_json(content: Any) -> str:
    """Return JSON on one line in which control characters are escaped and all other characters are kept."""
    import json

    return _CONTROL.sub(_json_code, json.dumps(content, ensure_ascii=False, allow_nan=False))


def _code(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def _json_code(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
