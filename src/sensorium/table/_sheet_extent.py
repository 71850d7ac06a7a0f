"""The extent of a sheet, read from its XML as it streams by."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

MARK = "sheetData"  # the element that holds a sheet's cells, whatever the part of the archive is called
FILLING = ("v", "is")  # what stands in a cell that has a value
REFERENCE = re.compile(r"([A-Za-z]{1,8})([0-9]{1,12})")


class HasEntities(Exception):
    """XML that defines entities, which workbooks never do."""


def refuse_entities(*_: Any) -> None:
    raise HasEntities("the XML has a document type definition")


class Extent:
    """Extent of the filled cells of a sheet; a cell without a reference follows the previous cell."""

    def __init__(self) -> None:
        self.cells = 0
        self._inside = False
        self._row = self._column = 0
        self._top = self._left = 10**12
        self._bottom = self._right = 0

    @property
    def rows(self) -> int:
        return max(0, self._bottom - self._top + 1)

    @property
    def columns(self) -> int:
        return max(0, self._right - self._left + 1)

    def open(self, name: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element; the prefix of its name is ignored."""
        if ":" in name:
            name = name.partition(":")[2]
        if name == "c":
            self._go_to(attributes.get("r", ""))
        elif name in FILLING:
            if self._inside:
                self._fill(self._row, self._column)
        elif name == "row":
            number = attributes.get("r", "")
            self._row, self._column = int(number) if number.isdecimal() else self._row + 1, 0
        elif name == MARK:
            self._inside = True

    def _go_to(self, reference: str) -> None:
        if found := REFERENCE.fullmatch(reference):
            letters, digits = found.groups()
            self._row, self._column = int(digits), _number(letters)
        else:
            self._column += 1

    def _fill(self, row: int, column: int) -> None:
        self.cells += 1
        if row < self._top:
            self._top = row
        if row > self._bottom:
            self._bottom = row
        if column < self._left:
            self._left = column
        if column > self._right:
            self._right = column


@lru_cache(2**14)
def _number(letters: str) -> int:
    """Return a column number: `A` → 1, `XFD` → 16384."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - 64
    return number
