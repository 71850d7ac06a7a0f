"""Join several columns into one of lists: latitude and longitude become a place, three photos a set of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.errors import TableError, did_you_mean, raise_together
from sensorium.table._arrow_types import is_number_type
from sensorium.table._types import FLOAT_TEXT

Columns = dict[str, pa.ChunkedArray]


def join_lists(columns: Columns, lists: Mapping[str, Sequence[str]], place: str, *, gaps: bool = False) -> Columns:
    """Return the columns, with the parts of each list replaced by the list, in place of its first part.

    A row without any of the parts has no list; one with some has a list with gaps. If the table has none of the parts,
    it has no column for the list.

    Args:
        columns: name → cells.
        lists: name of the new column → its parts, in order.
        place: the table, for errors.
        gaps: whether text beside numbers is read as numbers, and words as gaps, as for lists that are known to be of
            numbers.

    Raises:
        TableError: some of the parts do not exist, they have several types, or the name is taken.
    """
    for name, parts in lists.items():
        there = [part for part in parts if part in columns]
        if not there:
            continue
        raise_together(_faults(columns, name, parts, place))
        cells = [columns[part] for part in parts]
        joined, first = _join(_as_numbers(cells) if gaps else cells, name, place), min(there, key=list(columns).index)
        columns = {
            name if column == first else column: joined if column == first else cells
            for column, cells in columns.items()
            if column == first or column not in parts
        }
    return columns


def _faults(columns: Columns, name: str, parts: Sequence[str], place: str) -> list[TableError]:
    setting = f"{place}, table.lists.{name}"
    faults = [
        TableError(f"the table has no column {part!r}", place=setting, cure=did_you_mean(part, columns))
        for part in parts
        if part not in columns
    ]
    if name in columns and name not in parts:
        faults.append(TableError(f"the table already has a column {name!r}", place=setting, cure="choose another name"))
    return faults


def _join(parts: Sequence[pa.ChunkedArray], name: str, place: str) -> pa.Array:
    """Join the columns row by row; integers beside decimals become decimals."""
    kinds = {part.type for part in parts if not _is_empty(part)}
    if len(kinds) > 1 and all(is_number_type(kind) for kind in kinds):
        kinds = {pa.float64()}
    if len(kinds) > 1:
        found = ", ".join(sorted(map(str, kinds)))
        raise TableError(
            f"the columns of the list {name!r} have the types {found}", place=place, rule="cells of one type"
        )
    kind = kinds.pop() if kinds else pa.string()
    arrays = [pa.nulls(len(part), kind) if _is_empty(part) else _whole(part.cast(kind)) for part in parts]
    rows, width = len(parts[0]), len(parts)
    order = np.arange(rows * width).reshape(width, rows).T.ravel()
    values = pa.concat_arrays(arrays).take(pa.array(order))
    nothing = np.all([np.asarray(array.is_null()) for array in arrays], axis=0)
    return pa.ListArray.from_arrays(pa.array(np.arange(rows + 1) * width, pa.int32()), values, mask=pa.array(nothing))


def _as_numbers(parts: list[pa.ChunkedArray]) -> list[pa.ChunkedArray]:
    """Read text as numbers if other parts are numbers."""
    if not any(is_number_type(part.type) for part in parts):
        return parts
    return [_numbers(part) if pa.types.is_string(part.type) else part for part in parts]


def _numbers(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    texts = pc.utf8_trim_whitespace(texts)
    fits = pc.fill_null(pc.match_substring_regex(texts, FLOAT_TEXT), False)
    return pc.if_else(fits, texts, pa.scalar(None, pa.string())).cast(pa.float64())


def _is_empty(part: pa.ChunkedArray) -> bool:
    return part.null_count == len(part)


def _whole(part: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(part.chunks) if part.num_chunks else pa.array([], part.type)
