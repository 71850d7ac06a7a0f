"""Find formulas of a workbook whose results were not stored, as by programs that leave the computation to Excel."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection
from html import unescape
from pathlib import Path

UNREAD = "formulas without stored results"
CURE = "open the workbook in Excel or LibreOffice and save it, which stores the results"
FORMULA = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*\s)?r="([A-Z]{1,3})\d+"[^>]*>\s*<(?:\w+:)?f[\s/>]""")
SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
CHUNK, CELL = 2**20, 2**10  # bytes: read at a time; of the beginning of a cell


def columns_of_formulas(path: Path, sheet: str, asked: Collection[int]) -> set[int]:
    """Return which of the given columns (0-based) of a sheet hold formulas; none if the file is not Office Open XML."""
    if not asked or not zipfile.is_zipfile(path):
        return set()
    try:
        with zipfile.ZipFile(path) as archive:
            return _search(archive, _part_of(archive, sheet), frozenset(asked))
    except (KeyError, OSError, zipfile.BadZipFile, UnicodeDecodeError):
        return set()


def _search(archive: zipfile.ZipFile, part: str, asked: frozenset[int]) -> set[int]:
    found, rest = set[int](), b""
    with archive.open(part) as stream:
        while found != asked and (chunk := stream.read(CHUNK)):
            text = rest + chunk
            found |= asked.intersection(map(_place, set(FORMULA.findall(text))))
            rest = text[-CELL:]
    return found


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the file of a sheet in the archive; raise KeyError if there is none."""
    book = archive.read("xl/workbook.xml").decode()
    relations = archive.read("xl/_rels/workbook.xml.rels").decode()
    ids = {unescape(_value(tag, "name")): _value(tag, r"\w+:id") for tag in SHEET.findall(book)}
    targets = {_value(tag, "Id"): _value(tag, "Target") for tag in RELATION.findall(relations)}
    target = targets[ids[sheet]]
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _value(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return found[1] if found else ""


def _place(letters: bytes) -> int:
    """Return a column index: `A` → 0, `AA` → 26."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
