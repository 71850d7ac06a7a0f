"""SQLite: a table or view of a database file, or what a query selects."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.table._cells import column_of
from sensorium.table._query import as_query

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
            tables = [name for (name,) in connection.execute(NAMES)]
            cursor = connection.execute(as_query(config.query, tables, path))
            names, rows = [column[0] for column in cursor.description or ()], cursor.fetchall()
    except sqlite3.Error as error:
        raise TableError(f"the database can't be read: {error}", place=str(path), cure="see table.query") from None
    if not names:
        raise TableError("the query selects nothing", place="table.query", rule="a SELECT, or the name of a table")
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    arrays = [column_of(values) for values in columns]
    return pa.Table.from_arrays(arrays, names=names)
