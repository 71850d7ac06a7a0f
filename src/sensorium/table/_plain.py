"""Reduce Arrow types to the few that the rest of Sensorium uses, without changing values."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.errors import TableError
from sensorium.table._cells import cells_of

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
DAYS = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}  # ticks of a day
FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # of the years 1 to 9999, in days since 1970
MOST = 2**31 - 1  # items that Arrow's lists count
EXTENSION, PARAMETERS = b"ARROW:extension:name", b"ARROW:extension:metadata"
PERIOD, INTERVAL = "pandas.period", "pandas.interval"
PERIODS = {"A": "Y", "T": "m", "min": "m", "H": "h", "S": "s", "L": "ms", "U": "us", "N": "ns"}  # of pandas → of NumPy
UNITS = ("Y", "M", "D", "h", "m", "s", "ms", "us", "ns")
BRACKETS = {"left": ("[", ")"), "right": ("(", "]"), "both": ("[", "]"), "neither": ("(", ")")}


class NoPlainForm(Exception):
    """Arrow type that cannot be read; the message is the type."""


def plain_column(column: pa.ChunkedArray, metadata: Mapping[bytes, bytes] | None = None) -> pa.ChunkedArray:
    """Convert a whole column; `metadata` of its field names extension types that are not registered.

    Raises:
        NoPlainForm: the type cannot be read.
    """
    name = (metadata or {}).get(EXTENSION, b"").decode(errors="replace")
    chunks = []
    for chunk in column.chunks:
        known = name in (PERIOD, INTERVAL) and not isinstance(chunk.type, pa.BaseExtensionType)
        chunks.append(_of_pandas(chunk, name, (metadata or {}).get(PARAMETERS, b"")) if known else plain(chunk))
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
    return _plain_scalar(array)


def converted(kind: pa.DataType) -> str:
    """Describe the conversion of cells whose values change; empty for others."""
    return "durations are read as seconds" if pa.types.is_duration(kind) else ""


def _plain_scalar(array: pa.Array) -> pa.Array:
    kind, types = array.type, pa.types
    if types.is_uint64(kind) and len(array) - array.null_count and pc.max(array).as_py() >= 2**63:
        return array.cast(pa.string())
    if types.is_integer(kind):
        return array.cast(pa.int64())
    if types.is_floating(kind):
        array = array.cast(pa.float64())
        return pc.if_else(pc.is_nan(array), pa.scalar(None, pa.float64()), array)
    if types.is_decimal(kind):
        return _plain_decimal(array)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return array.cast(pa.binary())
    if types.is_fixed_size_binary(kind):
        return array.cast(pa.binary())
    if types.is_duration(kind):
        return pc.multiply(array.cast(pa.int64()).cast(pa.float64(), safe=False), SECONDS[kind.unit])
    if types.is_date(kind) or types.is_timestamp(kind):
        return _in_calendar(array)
    if types.is_boolean(kind) or types.is_time(kind):
        return array
    raise NoPlainForm(str(kind))


def _in_calendar(array: pa.Array) -> pa.Array:
    """Return timestamps, with those outside Python's calendar missing."""
    low, high = pc.min_max(array.cast(pa.int64() if array.type.bit_width == 64 else pa.int32())).values()
    if not low.is_valid:
        return array
    per_day = 1 if pa.types.is_date32(array.type) else DAYS[getattr(array.type, "unit", "ms")]
    first, last = FIRST_DAY * per_day, (LAST_DAY + 1) * per_day - 1
    if first <= low.as_py() and high.as_py() <= last:
        return array
    ticks = array.cast(pa.int64() if array.type.bit_width == 64 else pa.int32())
    inside = pc.and_(pc.greater_equal(ticks, first), pc.less_equal(ticks, last))
    return pc.if_else(inside, array, pa.scalar(None, array.type))


def _plain_decimal(array: pa.Array) -> pa.Array:
    """Return decimals as numbers; integers beyond int64 become text that keeps their digits."""
    if array.type.scale != 0:
        return array.cast(pa.float64(), safe=False)
    try:
        return array.cast(pa.int64())
    except pa.ArrowInvalid:
        return array.cast(pa.string())


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
    if set(names) == {"bytes", "path"}:
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
        return _of_pandas(array.storage, name, array.type.__arrow_ext_serialize__())
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


def _of_pandas(storage: pa.Array, name: str, parameters: bytes) -> pa.Array:
    """Convert periods to their start times, and intervals to text in pandas' notation."""
    try:
        said = json.loads(parameters or b"{}")
    except (ValueError, RecursionError):
        said = {}
    said = said if isinstance(said, dict) else {}
    parts = {field.name for field in storage.type} if pa.types.is_struct(storage.type) else set()
    if parts != ({"left", "right"} if name == INTERVAL else set()):
        raise NoPlainForm(f"{name} stored as {storage.type}")
    if name == INTERVAL:
        opens, closes = BRACKETS.get(said.get("closed", ""), ("(", "]"))
        cells = (None if v is None else f"{opens}{v['left']}, {v['right']}{closes}" for v in storage.to_pylist())
        return pa.array(cells, pa.string())
    base = str(said.get("freq", "")).partition("-")[0]
    steps, unit = (3, "M") if base == "Q" else (1, PERIODS.get(base, base))
    if unit not in UNITS:
        raise NoPlainForm(f"pandas.period of frequency {base!r}")
    ordinals = storage.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False) * steps
    moments = ordinals.astype(f"datetime64[{unit}]").astype("datetime64[us]")
    return pa.array(moments, pa.timestamp("us"), mask=np.asarray(storage.is_null()))


def whole(table: pa.Table, name: str) -> pa.Table:
    """Return the table without empty chunks, which lead to errors in Arrow.

    Arrow does not check the offsets in a file; damaged ones would make it read beyond the buffer.

    Raises:
        TableError: the offsets are wrong.
    """
    try:
        kept = _with_rows(table)
        kept.validate(full=True)
        _ = table.column_names
        return kept
    except (pa.ArrowException, UnicodeError) as error:
        raise TableError(f"the table is damaged: {error}", place=name, cure="write or download it again") from None


def _with_rows(table: pa.Table) -> pa.Table:
    if all(len(chunk) for column in table.columns for chunk in column.chunks):
        return table
    columns = [pa.chunked_array([chunk for chunk in c.chunks if len(chunk)], c.type) for c in table.columns]
    return pa.Table.from_arrays(columns, schema=table.schema)
