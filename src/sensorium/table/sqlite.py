"""SQLite: a table or view of a database file, or what a query selects."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import TableError, did_you_mean
from sensorium.table._types import column_of

if TYPE_CHECKING:
    from sqlite3 import Connection

SUFFIXES = (".sqlite", ".sqlite3", ".db")
QUERY = True
NAMES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"


def sqlite(path: Path, config: TableConfig) -> pa.Table:
    """The rows that `table.query` selects or names; without it, those of the file's only table. Nothing is written.

    Raises:
        TableError: no database, a fault in the query, several tables and none named, a column of mixed types.
    """
    import sqlite3

    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            cursor = connection.execute(_query(connection, config.query, path))
            names, rows = [column[0] for column in cursor.description or ()], cursor.fetchall()
    except sqlite3.Error as error:
        raise TableError(f"the database can't be read: {error}", place=str(path), cure="see table.query") from None
    if not names:
        raise TableError("the query selects nothing", place="table.query", rule="a SELECT, or the name of a table")
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    arrays = [column_of(list(values), name, str(path)) for name, values in zip(names, columns, strict=True)]
    return pa.Table.from_arrays(arrays, names=names)


def _query(connection: Connection, query: str | None, path: Path) -> str:
    """SQL: the user's own, or all of the table that is named or alone."""
    tables = [name for (name,) in connection.execute(NAMES)]
    if query and any(character.isspace() for character in query.strip()) and query not in tables:
        return query
    name = query or (tables[0] if len(tables) == 1 else "")
    if name not in tables:
        finding = f"the database has no table {name!r}" if name else f"the database has {len(tables)} tables"
        cure = did_you_mean(name, tables) if name else f"--set table.query=NAME, one of {', '.join(tables)}"
        raise TableError(finding, place=str(path), cure=cure)
    return 'SELECT * FROM "{}"'.format(name.replace('"', '""'))
