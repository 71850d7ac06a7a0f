"""Read a column of an object in memory: of pandas, polars, NumPy, Arrow or Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from sensorium.errors import TableError
from sensorium.table._cells import cells_of
from sensorium.table._column import Origin

ORIGIN = b"sensorium.origin"  # what a field's metadata says of its cells, as JSON
RULE = "a path, a pandas, polars or pyarrow table, a dict of columns or a list of dicts"
UNITS = {"M": ("D", "s", "ms", "us", "ns"), "m": ("s", "ms", "us", "ns")}  # of NumPy's moments that Arrow has

Columns = list[tuple[str, pa.Array | pa.ChunkedArray, Origin]]


def column_cells(cells: Any) -> tuple[pa.Array | pa.ChunkedArray, Origin]:
    """Read one column in any form."""
    if isinstance(cells, pa.Array | pa.ChunkedArray):
        return cells, Origin()
    if type(cells).__module__.startswith("polars"):
        return _of_polars(cells)
    if isinstance(cells, Mapping):
        raise TableError("some columns are dicts and others are not", place="dict", rule=RULE)
    if isinstance(cells, set | frozenset):
        raise TableError("the cells of a set have no order", place=type(cells).__name__, cure="give a list")
    if type(cells).__module__.startswith("pandas"):
        return _of_pandas(cells)
    if hasattr(cells, "__array__") and not isinstance(cells, np.ndarray):
        cells = cells.detach().cpu() if hasattr(cells, "detach") else cells
        return cells_of(list(cells)) if cells.ndim > 1 else _of_array(np.asarray(cells))
    return _of_array(cells) if isinstance(cells, np.ndarray) else cells_of(cells)


def _of_polars(series: Any) -> tuple[pa.Array | pa.ChunkedArray, Origin]:
    kind = str(series.dtype)
    if "Object" in kind or "Int128" in kind:  # it hands pointers over, or what Arrow doesn't know
        return cells_of(series.to_list())
    return series.to_arrow(), Origin()


def _of_pandas(series: Any) -> tuple[pa.Array | pa.ChunkedArray, Origin]:
    dtype = getattr(series, "dtype", None)
    if isinstance(dtype, np.dtype):
        return _of_array(series.to_numpy())
    try:
        return pa.array(series, from_pandas=True), Origin()
    except (pa.ArrowException, TypeError, ValueError):
        return cells_of(list(series))


def _of_array(array: np.ndarray[Any, Any]) -> tuple[pa.Array, Origin]:
    """Read an array whose first dimension is the rows."""
    kind = array.dtype.kind
    if array.dtype.names or array.ndim > 2 or (array.ndim == 2 and not array.size):
        return cells_of(list(array))
    if array.ndim == 2 and kind in "iufb":
        return pa.FixedSizeListArray.from_arrays(pa.array(_native(array).ravel()), array.shape[1]), Origin()
    if array.ndim == 2 or kind == "c":
        return cells_of(list(array))
    if kind in "mM" and np.datetime_data(array.dtype)[0] not in UNITS[kind]:
        array = array.astype(f"{kind}8[us]")
    return cells_of(_native(array))


def _native(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the array in the machine's byte order; floats become float64 at most."""
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return array.astype(np.float64)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def table_of(columns: Columns, metadata: Mapping[bytes, bytes] | None = None, *, rows: int = 0) -> pa.Table:
    """Build a table of columns, with messages about their cells in the metadata of the fields.

    Args:
        columns: name, cells and metadata of each.
        metadata: metadata of the table.
        rows: number of rows, for a table without columns.
    """
    if not columns:
        return pa.table({"": pa.nulls(rows)}).select([])
    found = []
    for name, cells, origin in columns:
        said = {ORIGIN: json.dumps(asdict(origin)).encode()} if origin != Origin() else None
        found.append(pa.field(name, cells.type, metadata=said))
    arrays = [cells for _, cells, _ in columns]
    return pa.Table.from_arrays(arrays, schema=pa.schema(found, metadata=metadata))
