"""Reduce Arrow types to the few that the rest of Sensorium uses, without changing how a value is spelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._plain import plain_column

INTEGER_TEXT = r"^(0|-?[1-9][0-9]*)$"
FIRST = (10, 1000)  # cells looked at before the rest
FLOAT_TEXT = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
WITHOUT_ZEROS = r"^[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"  # the same without 007 and 00.5


def normalise(
    array: pa.ChunkedArray, missing: Iterable[str], metadata: Mapping[bytes, bytes] | None = None
) -> pa.ChunkedArray:
    """Convert to plain strings, int64, float64, bool, binary, dates, lists; the spellings of `missing` become null.

    Raises:
        NoPlainForm: the type cannot be read.
    """
    found = plain_column(array, metadata)
    return _blank(found, missing) if pa.types.is_string(found.type) else found


def _blank(array: pa.ChunkedArray, missing: Iterable[str]) -> pa.ChunkedArray:
    spellings = pa.array([*missing], pa.string())
    return pc.if_else(pc.is_in(array, spellings), pa.scalar(None, pa.string()), array)


def narrow(array: pa.ChunkedArray, *, point: bool = True) -> pa.ChunkedArray:
    """Convert text to int64 or float64 if every cell is a number and integers would be written back unchanged.

    So "007" stays text. Other types are unchanged.

    Args:
        array: a column.
        point: whether a point is certainly the decimal mark, so that 1.234 is unambiguous.
    """
    values = array.drop_null() if pa.types.is_string(array.type) else None
    if not values:
        return array
    for pattern, kind in ((INTEGER_TEXT, pa.int64()), (WITHOUT_ZEROS, pa.float64()))[: 2 if point else 1]:
        if _all_match(values, pattern):
            try:
                return array.cast(kind)
            except pa.ArrowInvalid:  # more digits than an int64 holds: it stays text
                return array
    return array


def _all_match(values: pa.ChunkedArray, pattern: str) -> bool:
    """Return whether all cells match; the first cells are tried first."""
    bounds = pairwise((0, *(first for first in FIRST if first < len(values)), len(values)))
    parts = (values.slice(start, end - start) for start, end in bounds)
    return all(pc.all(pc.match_substring_regex(part, pattern)).as_py() is not False for part in parts)
