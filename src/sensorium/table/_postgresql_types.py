"""Types of PostgreSQL that the driver reads directly, and SQL expressions for the others.

For unknown types, the driver returns bytes of the server; for money, cents; for arrays of several dimensions, a flat
list of items. Such columns are requested as numbers, or as the text that psql prints.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

TYPE = b"POSTGRESQL:type"
KNOWN = (
    *("bool", "int2", "int4", "int8", "float4", "float8", "numeric", "date", "timestamp", "timestamptz"),
    *("text", "varchar", "name", "char", "bytea", "uuid", "json", "jsonb"),
)
CAST = {"money": "numeric", "oid": "int8", "bpchar": "text"}  # the last without the blanks that fill it up
TEXT = "CASE WHEN pg_catalog.num_nulls({0}) OPERATOR(pg_catalog.=) 0 THEN pg_catalog.concat({0}) END"  # no user's cast
SIDES = "pg_catalog.array_ndims({})"


def readable(query: str, fields: pa.Schema, as_text: Collection[int] = ()) -> str:
    """Return the query with columns that the driver can read, followed by the number of dimensions of each array.

    Args:
        query: one SELECT.
        fields: columns of the query, as the driver would read them.
        as_text: columns to read as text, regardless of their type.
    """
    names = [f"c{place}" for place in range(len(fields))]
    asked = [
        TEXT.format(f"q.{name}") if place in as_text else _asked(f"q.{name}", field)
        for place, (name, field) in enumerate(zip(names, fields, strict=True))
    ]
    arrays = [SIDES.format(f"q.{names[place]}") for place in _arrays(fields, as_text)]
    if not arrays and asked == [f"q.{name}" for name in names]:
        return query
    sides = [f"ARRAY[{', '.join(arrays)}]"] if arrays else []
    return f"SELECT {', '.join([*asked, *sides])} FROM ({query}\n) AS q({', '.join(names)})"


def named(found: pa.Table, fields: pa.Schema) -> pa.Table:
    """Return the columns with their names and order in the query, and numbers as numbers."""
    columns = [_numbers(column) for column in found.columns[: len(fields)]]
    return pa.table(columns, names=fields.names)


def of_several_dimensions(found: pa.Table, fields: pa.Schema) -> list[int]:
    """Return the positions of columns with arrays of several dimensions."""
    arrays = _arrays(fields, ())
    if not arrays:
        return []
    sides = pc.fill_null(pc.list_flatten(found.column(len(fields))), 0).to_numpy().reshape(-1, len(arrays))
    return [place for place, most in zip(arrays, sides.max(0, initial=0), strict=True) if most > 1]


def _arrays(fields: pa.Schema, without: Collection[int]) -> list[int]:
    """Return the positions of columns that are read as lists."""
    return [
        place for place, field in enumerate(fields)
        if place not in without and pa.types.is_list(field.type) and not _asked("", field).startswith("CASE")
    ]  # fmt: skip


def _asked(cell: str, field: pa.Field) -> str:
    """Return the SQL expression for a column's cells."""
    name = _type(field)
    if pa.types.is_list(field.type) and name.startswith("_"):
        item = field.type.value_field
        cast = CAST.get(_type(item), "")
        if cast:
            return f"({cell})[:]::pg_catalog.{cast}[]"
        return f"({cell})[:]" if _is_known(item) else TEXT.format(cell)  # the driver wants bounds that begin at 1
    if name in CAST and not isinstance(field.type, pa.BaseExtensionType):
        return f"{cell}::pg_catalog.{CAST[name]}"
    return cell if _is_known(field) else TEXT.format(cell)


def _is_known(field: pa.Field) -> bool:
    """Return whether the driver reads the type correctly. For an enum it returns the labels."""
    kind, name = field.type, _type(field)
    if isinstance(kind, pa.BaseExtensionType):
        return (name in KNOWN and pa.types.is_string(kind.storage_type)) or name == "uuid"
    if pa.types.is_struct(kind):
        return name != "record" and all(_is_known(kind.field(k)) for k in range(kind.num_fields))
    if pa.types.is_string(kind):
        return name not in CAST
    return name in KNOWN


def _type(field: pa.Field) -> str:
    return (field.metadata or {}).get(TYPE, b"").decode(errors="replace")


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return numbers from the text of numeric; floats for lists and infinite values. NaN is missing."""
    if pa.types.is_list(column.type) and _is_numeric(column.type.value_type):
        return pa.chunked_array(map(_listed, column.chunks), pa.list_(pa.float64()))
    if not _is_numeric(column.type):
        return column
    digits = pa.chunked_array([_digits(chunk) for chunk in column.chunks], pa.string())
    infinite = pc.any(pc.is_in(digits, pa.array(["inf", "-inf"]))).as_py()
    return digits.cast(pa.float64()) if infinite else digits


def _is_numeric(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.OpaqueType) and kind.type_name == "numeric"


def _digits(numbers: pa.Array) -> pa.Array:
    digits = numbers.storage
    return pc.if_else(pc.equal(digits, "nan"), pa.scalar(None, pa.string()), digits)


def _listed(lists: pa.Array) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    items = _digits(pc.list_flatten(lists)).cast(pa.float64())
    return pa.ListArray.from_arrays(pa.array(offsets), items, mask=lists.is_null())
