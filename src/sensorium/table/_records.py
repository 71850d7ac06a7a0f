"""Rows of a CSV text by Python's own reader: for its first lines, and to say where something is wrong."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LARGEST_CELL = 2**30  # characters; Python's own limit is 131,072
LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")


@dataclass(frozen=True)
class Record:
    """One row.

    Attributes:
        first: the line that it begins in, counted from 1.
        last: the line that it ends in.
        cells: as text.
    """

    first: int
    last: int
    cells: list[str]


def records(text: str, separator: str, quotes: str | None, *, lenient: bool = False) -> Iterator[Record]:
    """All rows; blank lines are left out.

    Args:
        text: the table.
        separator: one character.
        quotes: as in the settings.
        lenient: blanks before a quote are passed over.

    Raises:
        csv.Error: the separator is no single character.
    """
    limit = csv.field_size_limit(LARGEST_CELL)
    try:
        plain: dict[str, Any] = {"quoting": csv.QUOTE_NONE} if quotes == "none" else {}
        source = io.StringIO(text, newline="")
        reader, before = csv.reader(source, delimiter=separator, skipinitialspace=lenient, **plain), 0
        for row in reader:
            if row:
                yield Record(before + 1, reader.line_num, row)
            before = reader.line_num
    finally:
        csv.field_size_limit(limit)


def end_of_line(text: str, number: int) -> int:
    """Where the so-many-th line ends, its line break included."""
    end = 0
    for _ in range(number):
        found = LINE.match(text, end)
        end = found.end() if found else end
    return end


def strict_fault(line: str, separator: str, **options: Any) -> bool:
    """Whether text stands after a closing quote: the quotes of the line are not those of CSV."""
    try:
        list(csv.reader([line], delimiter=separator, strict=True, **options))
    except csv.Error as error:
        return "expected after" in str(error)
    return False
