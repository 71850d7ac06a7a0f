"""Read objects in memory as an Arrow table: data frames, columns, rows, or a single row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sensorium.errors import TableError
from sensorium.table._cells import cells_of, is_several
from sensorium.table._table import Origin

ORIGIN = b"sensorium.origin"  # what a field's metadata says of its cells, as JSON
RULE = "a path, a pandas, polars or pyarrow table, a dict of columns or a list of dicts"
CURES = {  # what to do with kinds of objects that hold a table, by the method that gives it
    "collect": "call .collect() on it",
    "compute": "call .compute() on it",
    "toPandas": "call .toPandas() on it",
    "to_table": "call .to_table() on it",
    "to_frame": "one column is not a table: call .to_frame() on it; for one row give [dict(row)]",
    "dictionary_encode": 'one column is not a table: give pyarrow.table({"name": column})',
}
UNITS = {"M": ("D", "s", "ms", "us", "ns"), "m": ("s", "ms", "us", "ns")}  # of NumPy's moments that Arrow has
NOT_CELLS = (str, bytes, bytearray, memoryview)

Columns = list[tuple[str, pa.Array | pa.ChunkedArray, Origin]]


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
            return table_of([(name, *_column(source.get_column(name))) for name in source.columns])
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
        return table_of([(str(name), *_column(flat[name])) for name in source.dtype.names])
    if isinstance(source, Iterable) and not isinstance(source, NOT_CELLS) and not hasattr(source, "read"):
        return _from_rows(source)
    raise _no_table(source)


def _from_mapping(source: Mapping[Any, Any]) -> pa.Table:
    """Read columns by name, or a single row if a value is a single cell."""
    if _is_split(source):
        finding = "a dict of 'columns' and 'data' is not a dict of columns"
        raise TableError(
            finding, place=type(source).__name__, cure='pass the data frame itself, or its to_dict("list")'
        )
    if not all(map(is_several, source.values())):
        return _from_rows([source])
    if source and all(isinstance(column, Mapping) for column in source.values()):
        return _from_labelled(source)
    columns = [(str(name), *_column(cells)) for name, cells in source.items()]
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
        return _from_rows(source.values())
    labels = list(dict.fromkeys(label for column in source.values() for label in column))
    return table_of([(str(n), *cells_of([column.get(label) for label in labels])) for n, column in source.items()])


def _from_rows(source: Iterable[Any]) -> pa.Table:
    """Read dicts, or objects with named fields; a key that a row lacks is a missing cell."""
    if isinstance(source, set | frozenset):
        raise TableError("the rows of a set have no order", place=type(source).__name__, cure="give a list")
    rows = list[Mapping[Any, Any]]()
    for given in source:
        row = given if type(given) is dict else _as_dict(given)
        if row is None:
            kind, cure = type(source).__name__, "give a dict of columns, or pandas.DataFrame(rows, columns=[…])"
            finding = f"a {kind} of {type(given).__name__} values is not a table: its columns have no names"
            raise TableError(finding, place=kind, rule=RULE, cure=cure)
        rows.append(row)
    names = dict.fromkeys(name for keys in {tuple(row): None for row in rows} for name in keys)
    return table_of([(str(name), *cells_of([row.get(name) for row in rows])) for name in names])


def _as_dict(row: Any) -> Mapping[Any, Any] | None:
    """Return the named fields of a row; None if it has no names."""
    if isinstance(row, Mapping):
        return row
    if is_dataclass(row) and not isinstance(row, type):
        return {field.name: getattr(row, field.name) for field in fields(row)}
    names = getattr(row, "_fields", None) or getattr(getattr(row, "dtype", None), "names", None)
    if isinstance(row, tuple) and names:
        return dict(zip(names, row, strict=True))
    if isinstance(row, np.void) and names:
        return {name: row[name] for name in names}
    if isinstance(getattr(type(row), "model_fields", None), Mapping):  # pydantic
        return {name: getattr(row, name) for name in type(row).model_fields}
    if isinstance(getattr(row, "_mapping", None), Mapping):  # SQLAlchemy
        return dict(row._mapping)
    by_name = callable(getattr(row, "keys", None)) and hasattr(row, "__getitem__") and getattr(row, "ndim", 1) == 1
    if by_name:  # sqlite3.Row, a pandas Series: to iterate over them gives values
        return {name: row[name] for name in row.keys()}  # noqa: SIM118
    return None


def _no_table(source: Any) -> TableError:
    kind = type(source).__name__
    cure = next((cure for method, cure in CURES.items() if hasattr(source, method)), "")
    cure = "give the path of the file" if hasattr(source, "read") or isinstance(source, bytes) else cure
    return TableError(f"cannot read a table from {kind}", rule=RULE, cure=cure)


def _from_pandas(frame: Any) -> pa.Table:
    """Read a pandas frame column by column, so that unknown types leave other columns unaffected.

    An index other than row numbers comes last; the table's metadata names it, as pandas does in files.
    """
    columns = [(str(name), *_column(frame.iloc[:, place])) for place, name in enumerate(frame.columns)]
    index = frame.index
    if type(index).__name__ == "RangeIndex":
        return table_of(columns)
    levels = [index.get_level_values(place) for place in range(index.nlevels)]
    taken, named = {name for name, *_ in columns}, list[str]()
    for place, level in enumerate(levels):
        unnamed = level.name is None or str(level.name) in taken
        named.append(f"__index_level_{place}__" if unnamed else str(level.name))
        columns.append((named[-1], *_column(level.to_series(index=range(len(level))))))
    return table_of(columns, {b"pandas": json.dumps({"index_columns": named}).encode()})


def _column(cells: Any) -> tuple[pa.Array | pa.ChunkedArray, Origin]:
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


def table_of(columns: Columns, metadata: Mapping[bytes, bytes] | None = None) -> pa.Table:
    """Build a table of columns, with messages about their cells in the metadata of the fields."""
    found = []
    for name, cells, origin in columns:
        said = {ORIGIN: json.dumps(asdict(origin)).encode()} if origin != Origin() else None
        found.append(pa.field(name, cells.type, metadata=said))
    arrays = [cells for _, cells, _ in columns]
    return pa.Table.from_arrays(arrays, schema=pa.schema(found, metadata=metadata))
