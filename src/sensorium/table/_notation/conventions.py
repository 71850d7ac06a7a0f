"""Conventions of a table's numbers, known from settings and other columns before a column is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import pyarrow as pa

from sensorium.table._arrays import evenly_spaced
from sensorium.table._notation.notation import Notation
from sensorium.table._notation.units import parse_with_unit

LOOKED_AT = 100  # cells of a column, and columns of a table
MOSTLY = 0.6  # share of numbers from which a column says how the table writes them


@dataclass(frozen=True)
class Conventions:
    """Known conventions of a table's numbers, and of a column's dates.

    Attributes:
        decimal, thousands, currency, missing, censored: as set for the table or for a column; None if not set.
        separator: between the cells of a text file; empty for other sources.
        texts: sample of the table's text cells, as the source has them.
        day_first: for dates, whether 01/02/2026 is in February, as set for a column; None if not set.
    """

    decimal: str | None = None
    thousands: str | None = None
    currency: str | None = None
    censored: Literal["limit", "missing"] = "limit"
    missing: tuple[str, ...] = ()
    separator: str = ""
    texts: tuple[list[str], ...] = ()
    day_first: bool | None = None

    @cached_property
    def shown(self) -> str:
        """Return the unambiguous decimal mark of most of the table's columns; empty if no column has one."""
        points, commas = self._marks.count("."), self._marks.count(",")
        return "" if points == commas else "." if points > commas else ","

    @property
    def shows_commas(self) -> bool:
        """Return whether any column has unambiguous decimal commas."""
        return "," in self._marks

    @cached_property
    def _marks(self) -> list[str]:
        return [_shown(texts) for texts in self.texts]

    def notation(self) -> Notation | None:
        """Return the notation that the settings alone define; None if they define nothing."""
        if not (self.decimal or self.thousands):
            return None
        decimal = self.decimal or ("," if self.thousands == "." else ".")
        return Notation(decimal=decimal, thousands=self.thousands or ("," if decimal == "." else "."))

    def given(self, **options: Any) -> Conventions:
        """Return the conventions with the options of a column, which override the table's settings."""
        return replace(self, **{name: value for name, value in options.items() if value not in (None, [], ())})


def some_texts(columns: Iterable[pa.ChunkedArray]) -> tuple[list[str], ...]:
    """Return a few cells from each of several text columns, to infer how the table writes numbers."""
    texts = [cells for cells in columns if pa.types.is_string(cells.type)][:LOOKED_AT]
    return tuple(_some(cells) for cells in texts)


def _some(cells: pa.ChunkedArray) -> list[str]:
    # One by one: to take them at once, Arrow would join the chunks of the whole column.
    rows = evenly_spaced(len(cells), LOOKED_AT)
    return [text for row in rows.tolist() if (text := cells[row].as_py())]


def _shown(sample: list[str]) -> str:
    """Return the decimal mark of a column's unambiguous cells; empty if there is none, or if both occur."""
    cells = [cell for text in sample if (cell := parse_with_unit(text))]
    if len(cells) < MOSTLY * len(sample):
        return ""
    marks = {cell.mark for cell in cells if not cell.is_ambiguous} & {".", ","}
    marks |= {
        "," if cell.groups == "." else "." for cell in cells if cell.groups in (".", ",") and not cell.is_ambiguous
    }
    return marks.pop() if len(marks) == 1 else ""
