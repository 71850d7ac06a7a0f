"""Values and texts of cells, by which labels are matched."""

from __future__ import annotations

import re
import unicodedata
from typing import TypeAlias

Name: TypeAlias = str | int | float | bool
Value: TypeAlias = int | float
WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
DECIMAL = re.compile(r"[+-]?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
TRUTH = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("on", "off"), ("1", "0"), ("1.0", "0.0"))
INVISIBLE = re.compile("[\u200b\u200e\u200f\u2060\ufeff\u00ad]")  # zero-width spaces and marks, soft hyphens
TRUTHS = {word: 1 - place for pair in TRUTH for place, word in enumerate(pair)}


def bare(text: str) -> str:
    """Return text without invisible differences: surrounding blanks, zero-width characters, composition (NFC)."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", INVISIBLE.sub("", text)).strip()


def text_of(name: Name) -> str:
    """Return a name in the spelling of `Column.strings`."""
    if isinstance(name, bool):
        return str(name).lower()
    return str(int(name)) if isinstance(name, float) and name.is_integer() else str(name)


def value_of(cell: object) -> Value | None:
    """Return the number that a cell is or spells (1 and 0 for true and false); None for other text."""
    if isinstance(cell, bool | int | float):
        return cell + 0  # True is 1
    text = str(cell).strip()
    if WHOLE.fullmatch(text):
        return int(text)
    if DECIMAL.fullmatch(text):
        return float(text)
    return TRUTHS[text.lower()] if text.lower() in TRUTH[0] else None


def truth_of(name: object) -> int | None:
    """Return 1 for a word such as yes, 0 for one such as no; None for others."""
    return TRUTHS.get(str(name).strip().lower())


def is_plain(name: Name, value: Value) -> bool:
    """Return whether the name is a number, or text as programs write the value."""
    if not isinstance(name, str) or name.strip().lower() in TRUTHS:
        return True
    whole = [str(int(value)), str(float(value))] if float(value).is_integer() else []
    return name.strip() in (str(value), *whole)
