"""Refuse Arrow tables whose offsets are damaged."""

from __future__ import annotations

import pyarrow as pa

from sensorium.errors import TableError


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
