"""Decode the bytes of a text file to UTF-8, from the encoding in the settings or that of a byte order mark.

Decoding with a wrong single-byte encoding does not fail but garbles text; valid UTF-8 with characters beyond ASCII is
almost always UTF-8. A byte order mark overrides all settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sensorium.errors import TableError
from sensorium.findings import Problem
from sensorium.table._encodings import (
    CONTROLS,
    MARKS,
    UTF8,
    WIDE,
    codec_of,
    encoding_error,
    garbled,
    is_utf8,
    refuse_wide,
)
from sensorium.table._read import finding


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


def read_text(path: Path, encoding: str, *, empty: bool = False) -> Text:
    """Read the content of a file.

    Args:
        path: the file.
        encoding: the encoding in the settings.
        empty: whether an empty file is a table without rows, as in formats without a header.

    Raises:
        TableError: the file cannot be read, is empty, or has another encoding.
    """
    raw = read_bytes(path, empty=empty)
    codec = codec_of(encoding)
    mark, own = next(((mark, name) for mark, name in MARKS if raw.startswith(mark)), (b"", ""))
    if own and not codec.startswith(own):
        message = (
            f"the file starts with a byte order mark of {own} and is read as such, although "
            f"table.encoding is {encoding}"
        )
        return Text(_decoded(raw, own, path), own, [finding(message, f"set table.encoding={own}")])
    if codec in UTF8:
        refuse_wide(raw, path)
        return Text(raw[len(mark) :], "utf-8")
    if codec.startswith(WIDE) and not own and is_utf8(raw, codec):
        cure = "set table.encoding=utf-8, or remove the setting"
        raise TableError(f"the text is UTF-8, not {encoding}", place=str(path), cure=cure)
    return Text(_decoded(raw, encoding, path), encoding, _doubts(raw, codec, encoding))


def read_bytes(path: Path, *, empty: bool = False) -> bytes:
    """Read a file; raise TableError if it cannot be read or is empty."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TableError(f"cannot read the file: {error}", place=str(path)) from None
    blank = not raw[:4096].strip(b"\r\n\t ") and not raw.strip(b"\r\n\t ")
    if not empty and (blank or raw in (mark for mark, _ in MARKS)):
        raise TableError("the file is empty", place=str(path), rule="a header line, then rows")
    return raw


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
        message = f"{controls:,} bytes are control characters in {encoding}, but printable characters in cp1252"
        return [finding(message, "set table.encoding=cp1252 if quotes, dashes or euro signs are missing")]
    return []
