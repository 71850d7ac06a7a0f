"""Hash cells of bytes, lists and objects, so that large cells are compared without copies of them."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Places: TypeAlias = npt.NDArray[np.int64]
BITS = 128  # equal digests of different cells are not to be expected


class Layer(NamedTuple):
    """Part of the content of cells: the bytes of cell i are `content[starts[i]:ends[i]]`."""

    content: npt.NDArray[np.uint8]
    starts: Places
    ends: Places


def is_hashed(kind: pa.DataType) -> bool:
    """Return whether cells of an Arrow type can be hashed and are large enough for it: bytes, lists, objects."""
    return _is_bytes(kind) or (pa.types.is_nested(kind) and _is_known(kind))


def digest_ids(data: pa.Array) -> npt.NDArray[np.int64]:
    """Return one number per cell, the same for cells of the same content; -1 for missing cells."""
    rows = np.arange(len(data))
    layers = _layers(data, rows, rows + 1)
    numbers = dict[bytes, int]()
    found = np.full(len(data), -1, np.int64)
    for row in np.flatnonzero(np.asarray(pc.is_valid(data))):
        digest = hashlib.blake2b(digest_size=BITS // 8)
        for layer in layers:
            digest.update(layer.content[layer.starts[row] : layer.ends[row]].data)
        found[row] = numbers.setdefault(digest.digest(), len(numbers))
    return found


def _is_known(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return all(_is_known(field.type) for field in kind)
    if _is_list(kind):
        return _is_known(kind.value_type)
    return _is_bytes(kind) or _is_text(kind) or _is_fixed(kind)


def _layers(data: pa.Array, starts: Places, ends: Places) -> list[Layer]:
    """Return the content of cells whose values are `data[starts[i]:ends[i]]`: which are missing, then the values."""
    kind = data.type
    layers = [_layer(np.asarray(pc.is_valid(data)).astype(np.uint8), starts, ends, 1)]
    if pa.types.is_struct(kind):
        return layers + [layer for part in data.flatten() for layer in _layers(part, starts, ends)]
    if _is_fixed(kind):
        values, width = _fixed(data)
        return [*layers, _layer(values, starts, ends, width)]
    parts, offsets = _variable(data)
    missing = ~np.asarray(pc.is_valid(data))
    if np.diff(offsets)[missing].any():  # values that no one sees
        parts, offsets = _variable(data.take(pa.array(np.arange(len(data)))))
    layers.append(_layer(np.diff(offsets).view(np.uint8), starts, ends, offsets.itemsize))
    if _is_list(kind):
        return layers + _layers(parts, offsets[starts], offsets[ends])
    return [*layers, Layer(parts, offsets[starts], offsets[ends])]


def _layer(content: npt.NDArray[np.uint8], starts: Places, ends: Places, width: int) -> Layer:
    return Layer(content, starts * width, ends * width)


def _fixed(data: pa.Array) -> tuple[npt.NDArray[np.uint8], int]:
    """Return the bytes of values of one size, zero where they are missing, and the size."""
    if pa.types.is_null(data.type):
        return np.zeros(0, np.uint8), 0
    if pa.types.is_boolean(data.type):
        data = data.cast(pa.uint8())
    width = data.type.bit_width // 8
    content = np.frombuffer(data.buffers()[1], np.uint8)[data.offset * width : (data.offset + len(data)) * width]
    if data.null_count:
        content = content.copy()
        content.reshape(len(data), width)[~np.asarray(pc.is_valid(data))] = 0
    return content, width


def _variable(data: pa.Array) -> tuple[Any, Places]:
    """Return all parts of lists, or all bytes of texts, and where those of each cell begin and the last one ends."""
    if pa.types.is_fixed_size_list(data.type):
        return data.values, (np.arange(len(data) + 1) + data.offset) * data.type.list_size
    if _is_list(data.type):
        return data.values, np.asarray(data.offsets).astype(np.int64)
    wide = pa.types.is_large_binary(data.type) or pa.types.is_large_string(data.type)
    offsets = np.frombuffer(data.buffers()[1], np.int64 if wide else np.int32) if len(data) else np.zeros(1, np.int32)
    content = data.buffers()[2]
    return (
        np.zeros(0, np.uint8) if content is None else np.frombuffer(content, np.uint8),
        offsets[data.offset : data.offset + len(data) + 1].astype(np.int64),
    )


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_fixed(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_primitive(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_null(kind)
    )
