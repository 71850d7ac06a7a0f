"""Cells that hold a file as text: a data URL (RFC 2397), `data:image/png;base64,iVBORw0…`, or its base64 alone."""

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
SHORTEST = 48  # characters of base64 without a prefix: the smallest images have that many
LOOKED_AT = 480  # characters of it that must be base64, and that are decoded to see the kind of file
DIGITS = re.compile(r"\s*(?:[A-Za-z0-9+/_-]\s*)+=*\s*")
BEGINS = re.compile(r"\s*[A-Za-z0-9+/_-]{24}")  # the fast way out for most texts
MAGIC = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"%PDF-", b"OggS", b"fLaC", b"ID3",
    b"\x1a\x45\xdf\xa3", b"\x93NUMPY", b"\x1f\x8b\x08", b"FLV\x01", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
)  # fmt: skip
INSIDE = ((4, b"ftyp"), (8, b"WAVE"), (8, b"WEBP"), (8, b"AVI "), (128, b"DICM"), (344, b"n+1\0"))  # position, bytes


def is_encoded_file(cell: str) -> bool:
    """Return whether a cell begins like a data URL, or is base64 of a known kind of file; other text does not."""
    return _is_data_url(cell) or _known_head(cell) is not None


def resembles_base64(cell: str) -> bool:
    """Return whether a cell is long and only has the digits of base64, whatever they stand for."""
    return len(cell) >= SHORTEST and DIGITS.fullmatch(cell) is not None


def encoded_content(cell: str) -> bytes:
    """Return the file in a data URL or in base64.

    Raises:
        Unreadable: the cell is not base64, or is cut off.
    """
    found, name = START.match(cell[:LONGEST_START]), "base64"
    if _is_data_url(cell):
        name = "data URL"
        if found is None or found[3] is None:
            raise Unreadable("the data URL is not in base64", CURE)
    digits = _digits(cell[found.end() if found else 0 :])
    if not digits:
        raise Unreadable("the data URL holds 0 bytes", CURE)
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError):
        reason = "the data URL is not valid base64" if name == "data URL" else "the base64 of the file is not valid"
        raise Unreadable(f"{reason}, or is cut off", CURE) from None


def encoded_head(cell: str, size: int) -> bytes | None:
    """Return the first bytes of the file in a data URL or in base64; None if there are none."""
    found = START.match(cell[:LONGEST_START])
    if found is None or found[3] is None:
        return None if _known_head(cell) is None else _decoded_head(cell, size)
    return _decoded_head(cell[found.end() : found.end() + 2 * size], size)


def _is_data_url(cell: str) -> bool:
    found = START.match(cell[:LONGEST_START])
    return found is not None and (found[1] is not None or found[3] is not None)


def _known_head(cell: str) -> bytes | None:
    """Return the first bytes of a file in base64 without a prefix; None if they are those of no known kind."""
    if len(cell) < SHORTEST or not BEGINS.match(cell) or not DIGITS.fullmatch(cell[:LOOKED_AT]):
        return None
    head = _decoded_head(cell[:LOOKED_AT], LOOKED_AT) or b""
    known = head.startswith(MAGIC) or any(head[at : at + len(sign)] == sign for at, sign in INSIDE)
    bitmap = head[:2] == b"BM" and head[6:10] == b"\0\0\0\0"
    return head if known or bitmap else None


def _decoded_head(text: str, size: int) -> bytes | None:
    digits = _digits(text[: 2 * size]).rstrip("=")[: size // 3 * 4 + 4]
    try:
        return base64.b64decode(digits[: len(digits) // 4 * 4], validate=True)[:size] or None
    except (binascii.Error, ValueError):
        return None


def _digits(text: str) -> str:
    """Return base64 without blanks, escapes and the digits of URLs."""
    text = "".join((unquote(text) if "%" in text else text).split())
    return text.translate(STANDARD) if "-" in text or "_" in text else text
