"""Arrow types → the few that the rest of Sensorium meets, without changing how a value is spelt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc

INTEGER_TEXT = r"^(0|-?[1-9][0-9]*)$"
FLOAT_TEXT = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
DAY_TEXT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def blank(array: pa.ChunkedArray, missing: Iterable[str]) -> pa.ChunkedArray:
    """With null for the spellings of a missing cell, and for the numbers and days that they spell."""
    values = _spelt(array.type, list(missing))
    return pc.if_else(pc.is_in(array, values), pa.scalar(None, array.type), array) if len(values) else array


def _spelt(kind: pa.DataType, texts: list[str]) -> pa.Array:
    """What the texts are as values of a type; those that spell none are left out."""
    types = pa.types
    if types.is_string(kind):
        return pa.array(texts, pa.string())
    if types.is_integer(kind) or types.is_floating(kind):
        pattern = INTEGER_TEXT if types.is_integer(kind) else FLOAT_TEXT
        return _values([text for text in texts if re.search(pattern, text)], kind, kind)
    if types.is_date(kind) or types.is_timestamp(kind):
        return _values([text for text in texts if re.search(DAY_TEXT, text)], pa.date32(), kind)
    return pa.array([], kind)


def _values(texts: list[str], spelt: pa.DataType, kind: pa.DataType) -> pa.Array:
    values = list[pa.Array]()
    for text in texts:
        with suppress(pa.ArrowInvalid):  # no day of the calendar, or beyond the type: no cell has it
            values.append(pa.array([text]).cast(spelt).cast(kind))
    return pa.concat_arrays(values) if values else pa.array([], kind)


def narrow(array: pa.ChunkedArray, *, point: bool = True) -> pa.ChunkedArray:
    """Text becomes int64 or float64 where every cell is a number and (for integers) would be written the same way
    again: "007" stays text. Other types stay as they are.

    Args:
        array: a column.
        point: a point parts decimals, so that 1.234 is a number without more ado.
    """
    values = array.drop_null() if pa.types.is_string(array.type) else None
    if not values:
        return array
    for pattern, kind in ((INTEGER_TEXT, pa.int64()), (FLOAT_TEXT, pa.float64()))[: 2 if point else 1]:
        if pc.all(pc.match_substring_regex(values, pattern)).as_py() and not _leading_zero(values):
            try:
                return array.cast(kind)
            except pa.ArrowInvalid:  # more digits than an int64 holds: it stays text
                return array
    return array


def _leading_zero(values: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.match_substring_regex(values, r"^[+-]?0[0-9]")).as_py())
