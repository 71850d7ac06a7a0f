"""Join several targets into one column of objects, with one label per target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from sensorium.errors import TableError, did_you_mean, raise_together
from sensorium.table._column import Origin

Columns = dict[str, pa.ChunkedArray]


def join_targets(columns: Columns, targets: Mapping[str, Sequence[str]], place: str, *, gaps: bool) -> Columns:
    """Return the columns, with targets that belong together replaced by one, at the end.

    A row without any of the labels has no object. If the table has none of the targets, it has no such column.

    Args:
        columns: name → cells.
        targets: name of the new column → its source columns.
        place: the table, for errors.
        gaps: whether targets may be missing in the table; their labels are then missing.

    Raises:
        TableError: a target does not exist, or the name is taken.
    """
    for name, parts in targets.items():
        there = [part for part in parts if part in columns]
        if there:
            raise_together([] if gaps else _faults(columns, parts, place))
            joined = _join(columns, parts)
            columns = {column: cells for column, cells in columns.items() if column not in parts}
            if name in columns:
                raise TableError(f"the table already has a column {name!r}", place=f"{place}, table.targets")
            columns[name] = joined
    return columns


def join_spelling(spelling: Columns, targets: Mapping[str, Sequence[str]], columns: Columns) -> Columns:
    """Join the spellings of the targets into one object per row, like their values."""
    found = {name: cells for name, cells in spelling.items() if name in columns}
    for name, parts in targets.items():
        own = [part for part in parts if part in spelling]
        if own and name in columns:
            arrays = [spelling[part].combine_chunks() for part in own]
            found[name] = pa.chunked_array([pa.StructArray.from_arrays(arrays, own)])
    return found


def join_origins(origins: Mapping[str, Origin], targets: Mapping[str, Sequence[str]]) -> dict[str, Origin]:
    """Return the metadata of the columns; that of a joined column has the metadata of each target."""
    found = {name: origin for name, origin in origins.items() if name not in targets}
    for name, parts in targets.items():
        own = {part: origins[part] for part in parts if part in origins}
        if own:
            found[name] = Origin(parts=own)
    return found


def _faults(columns: Columns, parts: Sequence[str], place: str) -> list[TableError]:
    lacking = [part for part in parts if part not in columns]
    return [TableError(f"the table has no column {p!r}", place=place, cure=did_you_mean(p, columns)) for p in lacking]


def _join(columns: Columns, parts: Sequence[str]) -> pa.ChunkedArray:
    rows = len(next(iter(columns.values())))
    cells = [columns[part].combine_chunks() if part in columns else pa.nulls(rows, pa.string()) for part in parts]
    nothing = np.all([np.asarray(cell.is_null()) for cell in cells], axis=0)
    return pa.chunked_array([pa.StructArray.from_arrays(cells, list(parts), mask=pa.array(nothing))])
