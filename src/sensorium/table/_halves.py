"""Detect decimal commas in a file whose cells are separated by commas: 2,5 without quotes is two cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from sensorium.errors import TableError
from sensorium.table._records import Record
from sensorium.table._separator import agreed_width

WHOLE, FRACTION = re.compile(r"\s*[+-]?\d{1,18}\s*"), re.compile(r"\d{1,18}\s*")
ENOUGH = 3  # rows
ROW_NAMES = "name every column: the first cells may be row names, which R writes without a name"
CURE = "export the table with semicolons as separators or with decimal points, or put these numbers in quotes"


def refuse_halves(header: Record, rows: Sequence[Record], separator: str, place: str) -> None:
    """Raise an error if rows have more cells than the header, and that many cells look like halves of numbers."""
    extra = agreed_width(rows) - len(header.cells)
    if len(rows) >= ENOUGH and extra > 0 and (cure := cure_of_halves(rows, len(header.cells), separator)):
        raise TableError(
            f"the rows have {len(header.cells) + extra} cells, but the header has {len(header.cells)}",
            place=place,
            rule="every row has as many cells as the header",
            cure=cure,
        )


def cure_of_halves(rows: Sequence[Record], width: int, separator: str) -> str:
    """Suggest a cure if rows with extra cells look like halves of numbers; else return an empty text."""
    usual = Counter(len(row.cells) for row in rows).most_common(1)[0][0]
    cells = _without_blank_ends([row.cells for row in rows if len(row.cells) == usual])
    extra, halves = len(cells[0]) - width, _halves(cells)
    if separator != "," or extra < 1 or len(halves) < extra:
        return ""
    some = " and ".join(f"'{cells[0][place]},{cells[0][place + 1]}'" for place in halves[:2])
    names = f"; or {ROW_NAMES}" if extra == 1 and len({row[0] for row in cells}) == len(cells) else ""
    return f"cells such as {some} look like numbers with a decimal comma, which is also the separator: {CURE}{names}"


def _without_blank_ends(cells: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Remove the empty cell after a separator at the end of every row."""
    while cells[0] and not any(row[-1].strip() for row in cells):
        cells = [row[:-1] for row in cells]
    return cells


def _halves(cells: Sequence[Sequence[str]]) -> list[int]:
    """Return indices of cells of digits that may continue in the next cell, except row numbers."""
    found, place = list[int](), 0
    while place + 1 < len(cells[0]):
        pairs = [(row[place], row[place + 1]) for row in cells]
        fit = all(WHOLE.fullmatch(whole) and FRACTION.fullmatch(rest) for whole, rest in pairs)
        if fit and not (place == 0 and _counts([whole for whole, _ in pairs])):
            found.append(place)
            place += 1
        place += 1
    return found


def _counts(texts: Sequence[str]) -> bool:
    numbers = [int(text) for text in texts]
    return len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
