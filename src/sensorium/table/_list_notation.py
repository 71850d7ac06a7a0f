"""How the cells of a column list numbers, and how such a cell is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.findings import Unreadable
from sensorium.table._spelt import CURE, GAP_WORDS, spelt_list

GAPS = GAP_WORDS - {"-", "--", "?"}  # which stand between the ends of a range
IN_BRACKETS = re.compile(r"\s*(?:[\[({]|[\w.]+\s*\(\s*[\[(])")
ITEM = r"(?:[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:e[+-]?[0-9]+)?|nan|null|none|na|n/a)"
SEPARATED = rf"(?i)^\s*{ITEM}(?:\s*[\s,;|]\s*{ITEM}?)+\s*$"
COMMA = re.compile(r"[+-]?\d+(?:,\d+)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class ListNotation:
    """Notation of lists of numbers in a text column.

    Attributes:
        separator: between the numbers; empty for lists in brackets. A blank stands for any white space.
        decimal: the decimal mark of numbers that are not in brackets.
    """

    separator: str = ""
    decimal: str = "."

    def read(self, text: str, *, shortened: bool = False) -> list[Any]:
        """Return the numbers of a cell, None for a gap; lists in brackets are read in any notation.

        If training had lists in brackets only, or lists in memory, the cell's own separator is used.

        Args:
            text: the cell.
            shortened: as for `spelt_list`.

        Raises:
            Unreadable: the text is not a list of numbers in this notation.
        """
        if not self.separator and not IN_BRACKETS.match(text) and (numbers := _separated(text)):
            return numbers
        if not self.separator or IN_BRACKETS.match(text):
            if '"' in text:
                raise Unreadable("a list of items that are not numbers")  # NumPy would read "1.5" as one
            return spelt_list(text, shortened=shortened)
        parts = self.parts(text)
        try:
            return [self._number(part) for part in parts]
        except ValueError:
            raise Unreadable(f"text that is not a list of numbers with {self.separator!r} between them", CURE) from None

    def parts(self, text: str) -> list[str]:
        """Return the parts between the separators; a separator at the end is ignored."""
        if self.separator == " ":
            return text.split()
        parts = [part.strip() for part in text.strip().split(self.separator)]
        return parts[:-1] if len(parts) > 1 and not parts[-1] else parts

    def _number(self, part: str) -> float | None:
        if part.lower() in GAPS:
            return None
        if self.decimal == ",":
            if not COMMA.fullmatch(part):
                raise ValueError
            part = part.replace(",", ".")
        if "_" in part:
            raise ValueError
        return float(part)

    def describe(self) -> str:
        """Describe the notation in a few words."""
        if not self.separator:
            return "lists of numbers"
        sign = {" ": "blanks", "\t": "tabs"}.get(self.separator, repr(self.separator))
        return f"numbers with {sign} between them" + " and a decimal comma" * (self.decimal == ",")


BRACKETS = ListNotation()
# A decimal comma first: what is also a list with commas between whole numbers would be read as twice as many.
NOTATIONS = tuple(
    ListNotation(separator, decimal)
    for separator, decimal in (
        ("|", ","), (";", ","), ("\t", ","), (", ", ","), (" ", ","),
        ("|", "."), (";", "."), ("\t", "."), (",", "."), (" ", "."),
    )
)  # fmt: skip


def spells_numbers(cells: pa.Array) -> npt.NDArray[np.bool_]:
    """Return bool[n]: whether the cells of a text column are numbers with a separator between them."""
    return np.asarray(pc.match_substring_regex(cells, SEPARATED).fill_null(False))


def _separated(text: str) -> list[Any] | None:
    """Return two or more numbers with any separator between them; None if the text is anything else."""
    for notation in NOTATIONS:
        try:
            found = notation.read(text)
        except Unreadable:
            continue
        if len(found) > 1 and any(number is not None for number in found):
            return found
    return None
