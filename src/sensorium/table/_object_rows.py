"""Read rows in memory: dicts, dataclasses, named tuples and other objects with named fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sensorium.errors import TableError
from sensorium.table._cells import cells_of
from sensorium.table._object_columns import RULE, table_of


def from_rows(source: Iterable[Any]) -> pa.Table:
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
    return table_of([(str(name), *cells_of([row.get(name) for row in rows])) for name in names], rows=len(rows))


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
