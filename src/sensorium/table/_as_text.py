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

from sensorium.table._far_dates import is_far, python_cells, spelt_far_dates
from sensorium.table._plain import plain_column
from sensorium.table._plain_scalars import NoPlainForm

TOGETHER = 5000  # rows turned into Python objects at a time
NO_FORM = (NoPlainForm, pa.ArrowException, NotImplementedError, OverflowError, ValueError)


def json_lines(table: pa.Table) -> Iterator[str]:
    """Yield one JSON object per row: dates in ISO 8601, durations in seconds, files as data URLs, NaN as null."""
    table = _changed(table, _has_no_text, _plain)
    names = table.column_names
    for start in range(0, len(table), TOGETHER):
        columns = [python_cells(column.slice(start, TOGETHER)) for column in table.columns]
        for row in zip(*columns, strict=True):
            yield _json(dict(zip(names, row, strict=True))) + "\n"


def with_text(table: pa.Table) -> pa.Table:
    """Return the table with lists and objects as JSON, bytes as data URLs, and durations in seconds."""
    table = _changed(table, _has_no_text, _plain)
    return _changed(table, lambda kind: pa.types.is_nested(kind) or _is_binary(kind), lambda cells, _: _texts(cells))


def with_spelt_dates(table: pa.Table) -> pa.Table:
    """Return the table with dates as text in columns that have years beyond 1 to 9999, which Arrow does not spell."""
    return _changed(table, _is_date, lambda cells, _: spelt_far_dates(cells) if is_far(cells) else cells)


def with_plain_types(table: pa.Table) -> pa.Table:
    """Return the table with other types in place of those that Parquet lacks."""
    return _changed(table, _is_not_in_parquet, _plain)


def _changed(
    table: pa.Table,
    concerns: Callable[[pa.DataType], bool],
    change: Callable[[pa.ChunkedArray, pa.Field], pa.ChunkedArray],
) -> pa.Table:
    """Return the table with its columns of some types changed."""
    if not any(concerns(field.type) for field in table.schema):
        return table
    pairs = zip(table.schema, table.columns, strict=True)
    columns = [change(cells, field) if concerns(field.type) else cells for field, cells in pairs]
    fields = [field.with_type(cells.type) for field, cells in zip(table.schema, columns, strict=True)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, table.schema.metadata))


def _plain(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    try:
        return plain_column(column, field.metadata)
    except NO_FORM:
        cells = [None if cell is None else str(cell) for cell in python_cells(column)]
        return pa.chunked_array([pa.array(cells, pa.string())])


def _is_not_in_parquet(kind: pa.DataType) -> bool:
    return bool(pa.types.is_union(kind) or pa.types.is_run_end_encoded(kind) or str(kind) == "month_day_nano_interval")


def _has_no_text(kind: pa.DataType) -> bool:
    """Return whether CSV and JSON have no form of a type, or whether Python has no value of it."""
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return True
    if types.is_dictionary(kind):
        return _has_no_text(kind.value_type) or types.is_nested(kind.value_type) or _is_binary(kind.value_type)
    number = types.is_integer(kind) or types.is_float32(kind) or types.is_float64(kind) or types.is_decimal(kind)
    text = types.is_string(kind) or types.is_large_string(kind) or _is_binary(kind)
    other = types.is_boolean(kind) or _is_date(kind) or types.is_time(kind) or types.is_null(kind)
    nested = types.is_nested(kind) and not types.is_union(kind)
    return not (number or text or other or nested)


def _is_date(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    chunks = [pa.array(map(_text, _parts(chunk)), pa.string()) for chunk in column.chunks]
    return pa.chunked_array(chunks, pa.string())


def _parts(chunk: pa.Array) -> Iterator[Any]:
    for start in range(0, len(chunk), TOGETHER):
        yield from python_cells(chunk.slice(start, TOGETHER))


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
