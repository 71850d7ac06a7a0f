"""Decode the bytes of a text file to UTF-8, from the encoding in the settings or that of a byte order mark.

Decoding with a wrong single-byte encoding does not fail but garbles text; valid UTF-8 with characters beyond ASCII is
almost always UTF-8. A byte order mark overrides all settings.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sensorium.config import set_both
from sensorium.errors import TableError
from sensorium.findings import Problem
from sensorium.table._guess import likely_encodings
from sensorium.table._read import finding

MARKS = (  # the longest first: UTF-32's begins as UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
UTF8 = ("utf-8", "utf-8-sig")
WIDE = ("utf-16", "utf-32")  # encodings of which no ASCII text is valid, or none that means what it says
EAST = re.compile(r"gb|big5|shift|euc|cp9|johab|iso2022|hz")  # encodings of several bytes a character
WORD = re.compile(r"\w*[^\x00-\x7f]\w*")
CONTROLS = re.compile(rb"[\x80-\x9f]")
SHOWN = 20  # characters of a word that a message quotes


@dataclass(frozen=True)
class Text:
    """Content of a text file.

    Attributes:
        data: UTF-8 without a byte order mark; not checked if the setting is UTF-8.
        encoding: the encoding that it was decoded from.
        problems: findings if that differs from the setting, or the setting looks wrong.
    """

    data: bytes
    encoding: str
    problems: Sequence[Problem] = ()


def read_text(path: Path, encoding: str) -> Text:
    """Read the content of a file.

    Raises:
        TableError: the file cannot be read, is empty, or has another encoding.
    """
    raw = read_bytes(path)
    codec = codec_of(encoding)
    mark, own = next(((mark, name) for mark, name in MARKS if raw.startswith(mark)), (b"", ""))
    if own and not codec.startswith(own):
        message = (
            f"the file starts with a byte order mark of {own} and is read as such, although "
            f"table.encoding is {encoding}"
        )
        return Text(_decoded(raw, own, path), own, [finding(message, f"set table.encoding={own}")])
    if codec in UTF8:
        _refuse_wide(raw, path)
        return Text(raw[len(mark) :], "utf-8")
    if codec.startswith(WIDE) and not own and is_utf8(raw, codec):
        cure = "set table.encoding=utf-8, or remove the setting"
        raise TableError(f"the text is UTF-8, not {encoding}", place=str(path), cure=cure)
    return Text(_decoded(raw, encoding, path), encoding, _doubts(raw, codec, encoding))


def read_bytes(path: Path) -> bytes:
    """Read a file; raise TableError if it cannot be read or is empty."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TableError(f"cannot read the file: {error}", place=str(path)) from None
    blank = not raw[:4096].strip(b"\r\n\t ") and not raw.strip(b"\r\n\t ")
    if blank or raw in (mark for mark, _ in MARKS):
        raise TableError("the file is empty", place=str(path), rule="a header line, then rows")
    return raw


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


def _decoded(raw: bytes, encoding: str, path: Path) -> bytes:
    try:
        return raw.decode(encoding).removeprefix("\ufeff").encode()
    except LookupError:
        raise TableError(
            f"{encoding!r} is not a text encoding", place="table.encoding", rule="utf-8, cp1252, utf-16, gb18030 …"
        ) from None
    except UnicodeError as error:
        raise encoding_error(path, encoding, str(error), raw) from None


def _doubts(raw: bytes, codec: str, encoding: str) -> list[Problem]:
    """Report signs that the encoding that was set is wrong."""
    if is_utf8(raw, codec):
        good, bad = garbled(raw, encoding)
        message = f"the file is valid UTF-8, and table.encoding={encoding} turns {good!r} into {bad!r}"
        return [finding(message, "set table.encoding=utf-8")]
    if codec.startswith("iso8859") and (controls := len(CONTROLS.findall(raw))):
        message = f"{controls:,} bytes of the file are control characters in {encoding}, as in a file in cp1252"
        return [finding(message, "set table.encoding=cp1252 if quotes, dashes or euro signs are missing")]
    return []


def _refuse_wide(raw: bytes, path: Path) -> None:
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
