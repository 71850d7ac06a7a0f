"""Targets whose cells are lists: one-hot and multi-hot vectors, one number in a list, lists written as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, NonNegativeInt

from sensorium.findings import Unreadable
from sensorium.table import Column, spelt_list, spelt_names

OPENS = r"^\s*[\[({]"
PARTS = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Lists:
    """Content of the lists of a target.

    Attributes:
        kind: "place": one-hot vectors, the position of the 1 is the label; "places": vectors of 0 and 1, the positions
            of the ones are the labels; "one": lists of one value, which is the label; "all": text that spells lists of
            labels; empty if cells are not lists, or are lists of labels.
        width: numbers in each vector.
        names: names of the positions, if known.
    """

    kind: Annotated[str, Field(pattern="^(place|places|one|all)?$")] = ""
    width: NonNegativeInt = 0
    names: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Describe how the lists are read."""
        vectors = f"vectors of {self.width} numbers, 0 or 1"
        return {
            "place": f"{vectors}, with one 1 in each: its position is the label",
            "places": f"{vectors}: the positions of the ones are the labels",
            "one": "lists of one number each",
            "all": "lists written as text",
        }.get(self.kind, "")

    def apply(self, column: Column) -> Column:
        """Return the labels; a list of another kind is a missing cell. Other cells are unchanged."""
        if not self.kind or not (column.is_list or column.is_string):
            return column
        cells = column.data.to_pylist()
        lists = [parse_list(cell) if isinstance(cell, str) else cell for cell in cells]
        if column.is_string and not any(isinstance(found, list) for found in lists):
            return column
        return replace(column, data=_as_array([self._label(found) for found in lists]), spelling=None)

    def _label(self, cell: Any) -> Any:
        if not isinstance(cell, list) or self.kind == "all":
            return cell
        if self.kind == "one":
            return cell[0] if len(cell) == 1 else None
        if len(cell) != self.width or not all(value in (0, 1) for value in cell):
            return None
        ones = [self.names[place] if self.names else place for place, value in enumerate(cell) if value == 1]
        return ones if self.kind == "places" else ones[0] if len(ones) == 1 else None


def lists_of(column: Column, names: Sequence[str]) -> Lists:
    """Recognize the content of the lists of a target.

    Args:
        column: every row of the target.
        names: names of the positions of each list, if the list was made of columns.
    """
    spelt = column.is_string and _spells_lists(column.values)
    if not spelt and not column.is_list:
        return Lists()
    cells: list[Any] = column.values.to_pylist()
    cells = [parse_list(text) for text in cells] if spelt else cells
    if not cells or not all(isinstance(cell, list) for cell in cells):
        return Lists()
    values = _matrix(cells)
    if values is None:
        return Lists("all") if spelt else Lists()
    width = values.shape[1]
    if width == 1:
        return Lists("one", 1)
    if not np.isin(values, (0, 1)).all():
        return Lists("all") if spelt else Lists()
    kind = "place" if (values.sum(1) == 1).all() else "places"
    return Lists(kind, width, list(names) if len(names) == width else [])


def parse_list(text: str | None) -> list[Any] | None:
    """Return the list that a text spells in the notation of JSON, Python or NumPy; None if it is not a list."""
    if text is None or not re.match(OPENS, text):
        return None
    try:
        return spelt_list(text)
    except Unreadable:
        pass
    try:
        return [float(part) for part in PARTS.split(text.strip()[1:-1].strip())]
    except ValueError:
        pass
    found = spelt_names(text)
    return found if isinstance(found, list) else None


def _spells_lists(values: pa.Array) -> bool:
    return bool(len(values)) and bool(pc.all(pc.match_substring_regex(values, OPENS)).as_py())


def _matrix(cells: list[list[Any]]) -> npt.NDArray[np.float64] | None:
    """Return lists of numbers of one width as a matrix; None for others. A list with a gap is ignored."""
    whole = [cell for cell in cells if None not in cell]
    if not whole or not whole[0] or len({len(cell) for cell in cells}) > 1:
        return None
    if not all(isinstance(value, bool | int | float) for cell in whole for value in cell):
        return None
    return np.array(whole, np.float64)


def _as_array(labels: list[Any]) -> pa.Array:
    try:
        return pa.array(labels)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # text beside places, or lists of mixed labels
        texts = [[str(x) for x in v] if isinstance(v, list) else None if v is None else str(v) for v in labels]
        if any(isinstance(text, list) for text in texts):
            texts = [text if isinstance(text, list) else None for text in texts]
        return pa.array(texts)
