"""Drop cells of another kind than nearly all of their column: a list among texts, an object among lists of numbers.

A single one would turn the whole column into text, and its lists, files or dates could not be read.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sensorium.findings import be, count
from sensorium.table._file_cell import FILE_FIELDS

MOST = 0.75  # of the cells that are not missing have one shape
VALUE, BYTES, FILE, OBJECT = "a value", "bytes", "a file", "an object"
LIST, NUMBERS, TEXTS = "a list", "a list of numbers", "a list of texts"
NO_FILE = {"bytes": None, "path": None}


def drop_misfits(cells: list[Any]) -> tuple[list[Any], str]:
    """Return the column without such cells, with a message about them; unchanged if there is no common shape."""
    shapes = [shape_of(cell) for cell in cells]
    counts = Counter(shape for shape in shapes if shape)
    most, number = max(counts.items(), key=lambda item: item[1], default=("", 0))
    if number < MOST * counts.total() or number < 2:
        return cells, ""
    odd = [bool(shape) and not _fits(shape, most) for shape in shapes]
    if not any(odd):
        return cells, ""
    first = odd.index(True)
    lost = (
        f"{count(sum(odd), 'cell')} {be(sum(odd))} read as missing (row {first}: {shapes[first]}; most cells: {most})"
    )
    return [None if out else cell for cell, out in zip(cells, odd, strict=True)], lost


def shape_of(cell: Any) -> str:
    """Return the kind of a cell; empty for a missing cell or an empty list."""
    if cell is None or cell == [] or cell == NO_FILE:
        return ""
    if isinstance(cell, dict):
        held = BYTES if isinstance(cell.get("bytes"), bytes) else FILE
        return held if is_file(cell) else OBJECT
    if not isinstance(cell, list):
        return BYTES if isinstance(cell, bytes) else VALUE
    items = {type(item) for item in cell} - {type(None)}
    if items <= {int, float}:
        return NUMBERS
    return TEXTS if items == {str} else LIST


def is_file(cell: Any) -> bool:
    """Return whether the cell is `{"bytes", "path"}`, the form of files in data sets."""
    if not isinstance(cell, dict) or not cell or not set(cell) <= FILE_FIELDS:
        return False
    return isinstance(cell.get("path"), str | None) and isinstance(cell.get("bytes"), bytes | str | None)


def _fits(shape: str, most: str) -> bool:
    """Return whether a kind may occur in the column, as paths beside bytes and single values beside lists."""
    if most in (OBJECT, LIST) or shape == most:
        return True
    files = {shape, most} <= {FILE, BYTES} or {shape, most} == {VALUE, BYTES}
    return files or (shape == VALUE and most in (FILE, NUMBERS, TEXTS))
