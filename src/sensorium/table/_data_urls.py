"""Cells that hold a file as a data URL (RFC 2397), such as `data:image/png;base64,iVBORw0…`."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote

from sensorium.findings import Unreadable

LONGEST_START = 256  # characters before the comma; media types are short
START = re.compile(r"\s*data:([\w.+-]+/[\w.+-]+)?(;[\w.+-]+=(?:[\w.+-]+|\"[^\",]*\"))*(;base64)?,", re.IGNORECASE)
STANDARD = str.maketrans("-_", "+/")  # base64url writes the last two digits in another way
CURE = "write the content of the file as data:…;base64,… again"


def is_data_url(cell: str) -> bool:
    """Return whether a cell begins like a data URL; other text that begins with `data:` does not."""
    found = START.match(cell[:LONGEST_START])
    return found is not None and (found[1] is not None or found[3] is not None)


def data_url_content(cell: str) -> bytes:
    """Return the file in a data URL.

    Raises:
        Unreadable: the cell is not base64, or is cut off.
    """
    found = START.match(cell[:LONGEST_START])
    if found is None or found[3] is None:
        raise Unreadable("the data URL is not in base64", CURE)
    digits = _digits(cell[found.end() :])
    if not digits:
        raise Unreadable("the data URL holds 0 bytes", CURE)
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("the data URL is not valid base64, or is cut off", CURE) from None


def data_url_head(cell: str, size: int) -> bytes | None:
    """Return the first bytes of the file in a data URL; None if there are none."""
    found = START.match(cell[:LONGEST_START])
    if found is None or found[3] is None:
        return None
    digits = _digits(cell[found.end() : found.end() + 2 * size]).rstrip("=")[: size // 3 * 4 + 4]
    try:
        return base64.b64decode(digits[: len(digits) // 4 * 4], validate=True)[:size] or None
    except (binascii.Error, ValueError):
        return None


def _digits(text: str) -> str:
    """Return base64 without blanks, escapes and the digits of URLs."""
    text = "".join((unquote(text) if "%" in text else text).split())
    return text.translate(STANDARD) if "-" in text or "_" in text else text
