"""Normalize paths in cells: surrounding blanks and quotes, `file://`, `%20`, backslashes.

This module does not access files; the code that opens a path checks that it may be opened.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

BLANKS = " \t\r\n\v\f\u00a0\u200b\ufeff"
QUOTES = {'"': '"', "'": "'", "`": "`", "<": ">", "“": "”", "‘": "’", "«": "»"}
FILE = re.compile(r"file:(?://(?:localhost(?=/))?)?", re.IGNORECASE)
DRIVE = re.compile(r"^/(?=[A-Za-z]:[/\\])")  # of file:///C:/data
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
QUERY = re.compile(r"[?#].*$", re.DOTALL)


def bare_path(cell: str) -> str:
    """Return a cell without surrounding blanks and quotes, and without `file://`."""
    text = cell.strip(BLANKS)
    while len(text) > 1 and QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip(BLANKS)
    return DRIVE.sub("", FILE.sub("", text)) if FILE.match(text) else text


def is_address(cell: str) -> bool:
    """Return whether the path is the address of a remote file: `https://…`, `s3://…`."""
    return ADDRESS.match(bare_path(cell)) is not None


def spellings(cell: str) -> Iterator[str]:
    """Return possible spellings of the path: as written, then others, the most similar first."""
    yield cell
    found = dict.fromkeys([cell, bare_path(cell)])
    for change in (without_query, unquote, _with_slashes, _composed, os.path.expanduser):
        found |= dict.fromkeys([change(spelling) for spelling in found if "\0" not in spelling])
    yield from (spelling for spelling in found if spelling and spelling != cell)


def without_query(path: str) -> str:
    """Return a URL without `?…` and `#…`."""
    return QUERY.sub("", path)


def _with_slashes(path: str) -> str:
    return path.replace("\\", "/")


def _composed(path: str) -> str:
    """Return the path with composed characters (é as one character), as most systems write them."""
    return unicodedata.normalize("NFC", path)
