"""Codes for missing cells that are numbers or dates: in columns of numbers or dates they match by value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._arrow_types import ArrowCells, is_date_type, is_number_type
from sensorium.table._column import Column

NUMBER = re.compile(r"[+-]?(?!0\d)(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")  # 007 is a code of text


def spelt_codes(words: Iterable[str]) -> list[float]:
    """Return, as floats, the codes for missing cells that are written as numbers, such as -999."""
    return [float(word) for word in map(str.strip, words) if NUMBER.fullmatch(word)]


def spelt_moments(words: Iterable[str]) -> list[datetime]:
    """Return the dates among words, written as 9999-12-31 or 9999-12-31T00:00:00, without a zone."""
    return [found for word in words if (found := _moment(word))]


def _holds_code(cells: ArrowCells, words: Iterable[str]) -> ArrowCells | None:
    """Return bool[n]: cells of numbers or dates whose value is that of a word; None if no word is a number or date."""
    kind = cells.type
    if is_number_type(kind):
        codes = spelt_codes(words)
        return pc.is_in(cells.cast(pa.float64(), safe=False), pa.array(codes, pa.float64())) if codes else None
    if not is_date_type(kind):
        return None
    moments = [scalar for moment in spelt_moments(words) if (scalar := _as_cell(moment, kind))]
    return pc.is_in(cells, pa.array([scalar.as_py() for scalar in moments], kind)) if moments else None


def _as_cell(moment: datetime, kind: pa.DataType) -> pa.Scalar | None:
    """Return a time as a cell of a date column; None for a time of day among days, or a year out of range."""
    if pa.types.is_date(kind) and moment != datetime(moment.year, moment.month, moment.day):
        return None
    try:
        return pa.scalar(moment, pa.timestamp("us")).cast(kind)
    except pa.ArrowInvalid:
        return None


def without_codes(column: Column, words: Iterable[str]) -> Column:
    """Return the column with cells of these values missing."""
    marked = _holds_code(column.data, words)
    if marked is None:
        return column
    data, spelling = (None if cells is None else _emptied(cells, marked) for cells in (column.data, column.spelling))
    return replace(column, data=data, spelling=spelling)


def empty_codes(
    columns: Mapping[str, pa.ChunkedArray], spelt: Mapping[str, pa.ChunkedArray], words: Iterable[str]
) -> tuple[dict[str, pa.ChunkedArray], dict[str, pa.ChunkedArray]]:
    """Return the columns, and their original spelling, with null where the value of a cell is one of the words."""
    marked = {name: found for name, cells in columns.items() if (found := _holds_code(cells, words)) is not None}
    emptied = {name: _emptied(columns[name], found) for name, found in marked.items()}
    return {**columns, **emptied}, {**spelt, **{name: _emptied(spelt[name], found) for name, found in marked.items()}}


def _emptied(cells: ArrowCells, marked: ArrowCells) -> ArrowCells:
    return pc.if_else(pc.fill_null(marked, False), pa.scalar(None, cells.type), cells)


def _moment(word: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(word.strip())
    except ValueError:
        return None
    return found if "-" in word and not found.tzinfo else None
