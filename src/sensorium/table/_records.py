"""Read rows of a CSV text with Python's reader, for its first lines and for the position of errors."""

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
        first: line in which the row begins, counted from 1.
        last: line in which the row ends.
        cells: as text.
    """

    first: int
    last: int
    cells: list[str]


def records(text: str, separator: str, quotes: str | None, *, lenient: bool = False) -> Iterator[Record]:
    """Yield all rows without blank lines.

    Args:
        text: the table.
        separator: one character.
        quotes: as in the settings.
        lenient: ignore blanks before a quote.

    Raises:
        csv.Error: the separator is not a single character.
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
    """Return the position after the line with this number and its line break."""
    end = 0
    for _ in range(number):
        found = LINE.match(text, end)
        end = found.end() if found else end
    return end


def strict_fault(line: str, separator: str, **options: Any) -> bool:
    """Return whether text follows a closing quote, which the CSV rules forbid."""
    try:
        list(csv.reader([line], delimiter=separator, strict=True, **options))
    except csv.Error as error:
        return "expected after" in str(error)
    return False
