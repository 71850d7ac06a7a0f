"""Arrow types → the few that the rest of Sensorium meets, without changing how a value is spelt."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sensorium.errors import TableError

INTEGER_TEXT = r"^(0|-?[1-9][0-9]*)$"
FLOAT_TEXT = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def normalise(array: pa.ChunkedArray, missing: Iterable[str]) -> pa.ChunkedArray:
    """Plain strings, int64, float64, bool, binary, dates, lists; the spellings of `missing` become null."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return normalise(_storage(array), missing)
    if pa.types.is_dictionary(kind):
        return normalise(array.cast(kind.value_type), missing)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_string(kind):
        return _blank(array.cast(pa.string()), missing)
    if pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind):
        return array.cast(pa.list_(_plain_item(kind.value_type)))
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind) or pa.types.is_fixed_size_binary(kind):
        return array.cast(pa.binary())
    if pa.types.is_struct(kind) and {field.name for field in kind} == {"bytes", "path"}:
        return _blank_files(array)
    if pa.types.is_null(kind):
        return array.cast(pa.string())
    return _plain_number(array)


def _plain_number(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """Any number → int64 or float64; other types as they are."""
    kind = array.type
    if pa.types.is_uint64(kind):
        return array.cast(pa.string() if _over_int64(array) else pa.int64())
    if pa.types.is_integer(kind):
        return array.cast(pa.int64())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _nan_to_null(array.cast(pa.float64(), safe=False))
    return array


def column_of(values: list[Any], name: str, place: str) -> pa.Array:
    """Python values → a column.

    Numbers beside text ("50+" among ages) are what people write; every cell then keeps its own spelling.

    Raises:
        TableError: lists, objects or bytes beside other values.
    """
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        pass
    if any(isinstance(value, dict | list | bytes) for value in values):
        raise TableError(f"column {name!r} mixes lists, objects or bytes with other values", place=place)
    return pa.array([v if v is None or isinstance(v, str) else json.dumps(v) for v in values], pa.string())


def _plain_item(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return kind


def _storage(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """What an extension type (a database's numeric, JSON …) is stored as."""
    return pa.chunked_array([chunk.storage for chunk in array.chunks], array.type.storage_type)


def _blank_files(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """{bytes, path} with neither is a missing cell."""
    empty = pc.and_(*(pc.is_null(pc.struct_field(array, name)) for name in ("bytes", "path")))
    return pc.if_else(empty, pa.scalar(None, array.type), array)


def _blank(array: pa.ChunkedArray, missing: Iterable[str]) -> pa.ChunkedArray:
    spellings = pa.array([*missing], pa.string())
    return pc.if_else(pc.is_in(array, spellings), pa.scalar(None, pa.string()), array)


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


def _nan_to_null(array: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.is_nan(array), pa.scalar(None, pa.float64()), array)


def _over_int64(array: pa.ChunkedArray) -> bool:
    return bool(len(array) - array.null_count and pc.max(array).as_py() > 2**63 - 1)
