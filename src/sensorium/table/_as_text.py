"""Cells of lists, objects and files as text and JSON, for formats that have no such types."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa

from sensorium.table._plain import plain_column
from sensorium.table._plain_scalars import NoPlainForm

TOGETHER = 5000  # rows turned into Python objects at a time


def json_lines(table: pa.Table) -> Iterator[str]:
    """Yield one JSON object per row: dates in ISO 8601, durations in seconds, files as data URLs, NaN as null."""
    table = with_plain_types(table, _has_no_text)
    for start in range(0, len(table), TOGETHER):
        for row in table.slice(start, TOGETHER).to_pylist():
            yield _json(row) + "\n"


def with_text(table: pa.Table) -> pa.Table:
    """Return the table with lists and objects as JSON, files as data URLs, and durations in seconds."""
    table = with_plain_types(table, _has_no_text)
    for place, field in enumerate(table.schema):
        if pa.types.is_nested(field.type) or (_is_binary(field.type) and not _is_utf8(table.column(place))):
            table = table.set_column(place, field.name, _texts(table.column(place)))
    return table


def with_plain_types(table: pa.Table, lacks: Callable[[pa.DataType], bool] | None = None) -> pa.Table:
    """Return the table with other types in place of those that a format lacks; by default, that Parquet lacks."""
    for place, field in enumerate(table.schema):
        if (lacks or _is_not_in_parquet)(field.type):
            column = table.column(place)
            try:
                column = plain_column(column, field.metadata)
            except NoPlainForm:
                column = pa.chunked_array([pa.array([None if c is None else str(c) for c in column.to_pylist()])])
            table = table.set_column(place, field.name, column)
    return table


def _is_not_in_parquet(kind: pa.DataType) -> bool:
    return bool(pa.types.is_union(kind) or pa.types.is_run_end_encoded(kind) or str(kind) == "month_day_nano_interval")


def _has_no_text(kind: pa.DataType) -> bool:
    """Return whether CSV and JSON have no form of a type, or whether Python has no value of it."""
    types = pa.types
    other = types.is_duration(kind) or types.is_float16(kind) or isinstance(kind, pa.BaseExtensionType)
    return bool(other or _is_not_in_parquet(kind))


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    chunks = [pa.array(map(_text, _parts(chunk)), pa.string()) for chunk in column.chunks]
    return pa.chunked_array(chunks, pa.string())


def _parts(chunk: pa.Array) -> Iterator[Any]:
    for start in range(0, len(chunk), TOGETHER):
        yield from chunk.slice(start, TOGETHER).to_pylist()


def _text(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return _data_url(cell) if isinstance(cell, bytes) else _json(cell)


def _json(value: Any) -> str:
    return json.dumps(_finite(value), ensure_ascii=False, default=_spelt)


def _finite(value: Any) -> Any:
    """Return a value without NaN and infinity, which JSON has no numbers for."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value


def _spelt(value: Any) -> Any:
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return _data_url(value)
    return str(value) if isinstance(value, Decimal | UUID) else repr(value)


def _data_url(content: bytes) -> str:
    return f"data:application/octet-stream;base64,{base64.b64encode(content).decode()}"


def _is_binary(kind: pa.DataType) -> bool:
    types = pa.types
    views = types.is_binary_view(kind) or types.is_fixed_size_binary(kind)
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or views)


def _is_utf8(column: pa.ChunkedArray) -> bool:
    """Return whether bytes are text, as some programs store it."""
    try:
        column.cast(pa.binary()).cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True
