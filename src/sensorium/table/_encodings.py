"""Encodings of text files: how they are recognized, and errors about them."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from sensorium.config import set_both
from sensorium.errors import TableError
from sensorium.table._guess import likely_encodings

MARKS = (  # the longest first: UTF-32's begins as UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
UTF8 = ("utf-8", "utf-8-sig")
WIDE = ("utf-16", "utf-32")  # encodings of which no ASCII text is valid, or none that means what it says
EAST = re.compile(r"gb|big5|shift|euc|cp9|johab|iso2022|hz")  # encodings of several bytes a character
WORD = re.compile(r"(?:(?<!\w)\w*)?[^\x00-\x7f]\w*")  # begun once per word, not at each letter
CONTROLS = re.compile(rb"[\x80-\x9f]")
SHOWN = 20  # characters of a word that a message quotes


def codec_of(encoding: str) -> str:
    """Return Python's own name of an encoding; the given name if it is unknown."""
    try:
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        return encoding


def is_utf8(raw: bytes, codec: str) -> bool:
    """Return whether bytes are UTF-8 although the setting is another encoding.

    In East Asian encodings, pairs of bytes may look like two-byte characters of UTF-8 by chance, but not like
    three-byte ones.
    """
    if codec in UTF8 or (raw.isascii() and not codec.startswith(WIDE)) or 0 in raw[:4096]:
        return False
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return False
    return not EAST.match(codec) or max(text) > "\u07ff"


def garbled(raw: bytes, encoding: str) -> tuple[str, str]:
    """Return a word of a UTF-8 text, and the same word decoded with another encoding."""
    found = WORD.search(raw.decode("utf-8", "ignore"))
    word = found.group()[:SHOWN] if found else ""
    return word, word.encode().decode(encoding, "replace")


def encoding_error(path: Path, encoding: str, detail: str, raw: bytes = b"") -> TableError:
    """Return the error for text in another encoding, with the likely encodings."""
    likely = ["utf-8", "latin-1"] if raw and is_utf8(raw, codec_of(encoding)) else likely_encodings(raw)
    first, others = (likely or ["cp1252"])[0], ", ".join(likely[1:] or ("latin-1", "utf-16", "gb18030"))
    return TableError(
        f"the text is not {encoding}: {detail}",
        place=str(path),
        cure=(
            f"{set_both('table.encoding', first)} when fitting, or {others} …; for a fitted model, save the "
            f"file as {encoding}"
        ),
    )


def refuse_wide(raw: bytes, path: Path) -> None:
    """Raise an error for UTF-16 without a byte order mark, which is valid UTF-8: every second character is a NUL."""
    head = raw[:4096]
    for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = head[place::2]
        if len(half) > 1 and half.count(0) > 0.5 * len(half):
            raise TableError(
                "the text is UTF-16 without a byte order mark, not UTF-8",
                place=str(path),
                cure=f"{set_both('table.encoding', name)}, or save the file as UTF-8",
            )
