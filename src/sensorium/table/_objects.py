"""Read objects in memory as an Arrow table: data frames, columns, rows, or a single row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from sensorium.errors import TableError
from sensorium.table._cells import cells_of, is_several
from sensorium.table._object_columns import RULE, column_cells, table_of
from sensorium.table._object_rows import from_rows

CURES = {  # what to do with kinds of objects that hold a table, by the method that gives it
    "collect": "call .collect() on it",
    "compute": "call .compute() on it",
    "toPandas": "call .toPandas() on it",
    "to_table": "call .to_table() on it",
    "to_frame": "one column is not a table: call .to_frame() on it; for one row give [dict(row)]",
    "dictionary_encode": 'one column is not a table: give pyarrow.table({"name": column})',
}
NOT_CELLS = (str, bytes, bytearray, memoryview)


def from_object(source: Any) -> pa.Table:
    """Read a pandas, polars or pyarrow table, other objects with Arrow's interface, and columns or rows of Python.

    Columns that cannot be read are missing in every row; the metadata of their field has the reason.

    Raises:
        TableError: the object is not a table.
    """
    kind = type(source).__name__
    try:
        if kind == "DataFrame" and type(source).__module__.startswith("pandas"):
            return _from_pandas(source)
        if kind == "DataFrame" and type(source).__module__.startswith("polars"):
            return table_of([(name, *column_cells(source.get_column(name))) for name in source.columns])
        if hasattr(source, "to_frame") or isinstance(source, pa.ChunkedArray):
            raise _no_table(source)
        if hasattr(source, "__arrow_c_stream__"):
            return pa.table(source)
        if hasattr(source, "__arrow_c_array__"):
            return pa.table(pa.record_batch(source))
        return _from_python(source)
    except TableError:
        raise
    except (pa.ArrowException, TypeError, ValueError, AttributeError, OverflowError) as error:
        cure = next((cure for method, cure in CURES.items() if hasattr(source, method)), "")
        raise TableError(f"cannot read the object as a table: {error}", place=kind, rule=RULE, cure=cure) from None


def _from_python(source: Any) -> pa.Table:
    if isinstance(source, Mapping):
        return _from_mapping(source)
    if isinstance(source, np.ndarray) and source.dtype.names:
        flat = source.reshape(-1)
        return table_of([(str(name), *column_cells(flat[name])) for name in source.dtype.names])
    if isinstance(source, Iterable) and not isinstance(source, NOT_CELLS) and not hasattr(source, "read"):
        return from_rows(source)
    raise _no_table(source)


def _from_mapping(source: Mapping[Any, Any]) -> pa.Table:
    """Read columns by name, or a single row if a value is a single cell; an empty dict is a row without cells."""
    if _is_split(source):
        finding = "the dict has the keys 'columns' and 'data', not one key per column"
        raise TableError(
            finding, place=type(source).__name__, cure='pass the data frame itself, or its to_dict("list")'
        )
    if not source or not all(map(is_several, source.values())):
        return from_rows([source])
    if source and all(isinstance(column, Mapping) for column in source.values()):
        return _from_labelled(source)
    columns = [(str(name), *column_cells(cells)) for name, cells in source.items()]
    lengths = {name: len(cells) for name, cells, _ in columns}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name!r} has {length:,}" for name, length in list(lengths.items())[:5])
        cure = "for one row, give a list with one dict"
        raise TableError(
            f"the columns have different lengths: {found}", place="dict", rule="one cell per row", cure=cure
        )
    return table_of(columns)


def _is_split(source: Mapping[Any, Any]) -> bool:
    """Return whether it is pandas' `to_dict("split")`: rows of cells beside the names of columns."""
    rows = source.get("data") if set(source) - {"index"} == {"columns", "data"} else None
    return isinstance(rows, list) and all(isinstance(row, list) and len(row) == len(source["columns"]) for row in rows)


def _from_labelled(source: Mapping[Any, Mapping[Any, Any]]) -> pa.Table:
    """Read column → row label → cell, as pandas' `to_dict()` gives it; transposed if only the columns are words."""
    inner = {name for column in source.values() for name in column}
    if all(isinstance(name, str) for name in inner) and not any(isinstance(name, str) for name in source):
        return from_rows(source.values())
    labels = list(dict.fromkeys(label for column in source.values() for label in column))
    return table_of([(str(n), *cells_of([column.get(label) for label in labels])) for n, column in source.items()])


def _no_table(source: Any) -> TableError:
    kind = type(source).__name__
    cure = next((cure for method, cure in CURES.items() if hasattr(source, method)), "")
    cure = "give the path of the file" if hasattr(source, "read") or isinstance(source, bytes) else cure
    return TableError(f"cannot read a table from {kind}", rule=RULE, cure=cure)


def _from_pandas(frame: Any) -> pa.Table:
    """Read a pandas frame column by column, so that unknown types leave other columns unaffected.

    An index other than row numbers comes last; the table's metadata names it, as pandas does in files.
    """
    columns = [(str(name), *column_cells(frame.iloc[:, place])) for place, name in enumerate(frame.columns)]
    index = frame.index
    if type(index).__name__ == "RangeIndex":
        return table_of(columns, rows=len(frame))
    levels = [index.get_level_values(place) for place in range(index.nlevels)]
    taken, named = {name for name, *_ in columns}, list[str]()
    for place, level in enumerate(levels):
        unnamed = level.name is None or str(level.name) in taken
        named.append(f"__index_level_{place}__" if unnamed else str(level.name))
        columns.append((named[-1], *column_cells(level.to_series(index=range(len(level))))))
    return table_of(columns, {b"pandas": json.dumps({"index_columns": named}).encode()})
