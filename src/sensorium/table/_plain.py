"""Reduce Arrow types to the few that the rest of Sensorium uses, without changing values."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._cells import cells_of
from sensorium.table._file_cell import FILE_FIELDS
from sensorium.table._plain_pandas import INTERVAL, PERIOD, plain_pandas
from sensorium.table._plain_scalars import NoPlainForm, plain_scalar

MOST = 2**31 - 1  # items that Arrow's lists count
EXTENSION, PARAMETERS = b"ARROW:extension:name", b"ARROW:extension:metadata"


def plain_column(column: pa.ChunkedArray, metadata: Mapping[bytes, bytes] | None = None) -> pa.ChunkedArray:
    """Convert a whole column; `metadata` of its field names extension types that are not registered.

    Raises:
        NoPlainForm: the type cannot be read.
    """
    name = (metadata or {}).get(EXTENSION, b"").decode(errors="replace")
    chunks = []
    for chunk in column.chunks:
        known = name in (PERIOD, INTERVAL) and not isinstance(chunk.type, pa.BaseExtensionType)
        chunks.append(plain_pandas(chunk, name, (metadata or {}).get(PARAMETERS, b"")) if known else plain(chunk))
    if len({chunk.type for chunk in chunks}) > 1:  # some hold numbers that others spell
        chunks = [chunk.cast(pa.string()) for chunk in chunks]
    return pa.chunked_array(chunks, None if chunks else column.type)


def plain(array: pa.Array) -> pa.Array:
    """Convert an array to strings, int64, float64, bool, binary, dates and times, or lists and structs of them.

    Raises:
        NoPlainForm: the type cannot be read.
    """
    kind, types = array.type, pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return _plain_extension(array)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return array.cast(pa.string())
    if types.is_dictionary(kind):
        return plain(array.dictionary).take(array.indices)
    if types.is_run_end_encoded(kind):
        return plain(array.values).take(_runs(array))
    if _is_list(kind):
        return _plain_list(array)
    if types.is_struct(kind):
        return _plain_struct(array)
    if types.is_null(kind):
        return array.cast(pa.string())
    if types.is_union(kind):
        return cells_of(array.to_pylist())[0]
    return plain_scalar(array)


def converted(kind: pa.DataType) -> str:
    """Describe the conversion of cells whose values change; empty for others."""
    return "durations are read as seconds" if pa.types.is_duration(kind) else ""


def order_of(cells: pa.ChunkedArray) -> tuple[str, ...]:
    """Return the categories of an ordered categorical column, the lowest first; empty for others."""
    kind = cells.type
    if not (pa.types.is_dictionary(kind) and kind.ordered) or pa.types.is_nested(kind.value_type):
        return ()
    found = {tuple(plain(chunk.dictionary).drop_null().cast(pa.string()).to_pylist()) for chunk in cells.chunks}
    return next(iter(found)) if len(found) == 1 else ()


def _is_list(kind: pa.DataType) -> bool:
    types = pa.types
    views = types.is_list_view(kind) or types.is_large_list_view(kind)
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind) or views)


def _plain_list(array: pa.Array) -> pa.Array:
    """Return a list; its numbers keep their bit width, to save memory."""
    items = array.flatten()
    found = items if _is_plain_item(items.type) else plain(items)
    if found is items and pa.types.is_list(array.type):
        return array
    lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    if offsets[-1] > MOST:
        raise NoPlainForm(f"{array.type} with more than {MOST:,} items")
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), found, mask=array.is_null())


def _is_plain_item(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_integer(kind) or types.is_float32(kind) or types.is_float64(kind) or types.is_string(kind)
        or types.is_null(kind)
    )  # fmt: skip


def _plain_struct(array: pa.Array) -> pa.Array:
    """Return a struct of plain fields; {bytes, path} with neither is a missing cell."""
    try:
        names = [field.name for field in array.type]
    except UnicodeError:
        raise NoPlainForm("struct with a name that is not UTF-8") from None
    if not names or len(set(names)) < len(names):
        raise NoPlainForm(str(array.type))
    parts, missing = [plain(part) for part in array.flatten()], array.is_null()
    if set(names) == FILE_FIELDS:
        missing = pc.and_(*(part.is_null() for part in parts))
    return pa.StructArray.from_arrays(parts, names=names, mask=missing)


def _runs(array: pa.Array) -> pa.Array:
    """Return the index of each cell's value in the dictionary."""
    ends = array.run_ends.to_numpy(zero_copy_only=False)
    return pa.array(np.searchsorted(ends, np.arange(array.offset, array.offset + len(array)), side="right"))


def _plain_extension(array: pa.Array) -> pa.Array:
    """Return an extension type (a database's numeric, JSON …) as its storage or a converted form."""
    name = array.type.extension_name
    if name in (PERIOD, INTERVAL):
        return plain_pandas(array.storage, name, array.type.__arrow_ext_serialize__())
    if name == "arrow.uuid":
        return pa.array(
            [None if v is None else str(uuid.UUID(bytes=v)) for v in array.storage.to_pylist()], pa.string()
        )
    if name == "arrow.bool8":
        return array.storage.cast(pa.bool_())
    if name == "arrow.fixed_shape_tensor":
        return _tensors(array)
    return plain(array.storage)


def _tensors(array: pa.Array) -> pa.Array:
    rows: list[Any] = [None] * len(array)
    there = np.flatnonzero(np.asarray(array.is_valid()))
    kept = array.take(pa.array(there)) if len(there) < len(array) else array
    for row, cell in zip(there, kept.to_numpy_ndarray(), strict=True):
        rows[row] = cell
    cells, origin = cells_of(rows)
    if origin.unread:
        raise NoPlainForm(str(array.type))
    return cells
