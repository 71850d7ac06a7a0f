"""SQLite: a table or view of a database file, or the result of a query."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.findings import Problem, be, count
from sensorium.table._cells import column_of
from sensorium.table._query import TimeLimit, as_query, as_sql, not_only_reading
from sensorium.table._read import Read, finding
from sensorium.table._sqlite_guard import NAMES, names_of, restrict
from sensorium.table._waiting import Reading
from sensorium.table._wal import read_quietly

if TYPE_CHECKING:
    from sqlite3 import Connection

SUFFIXES = (".sqlite", ".sqlite3", ".db")
QUERY = True


class NotText:
    """Text cell whose bytes are not UTF-8."""


def sqlite(path: Path, config: TableConfig) -> Read:
    """Read the rows that `table.query` selects or names; by default those of the file's only table.

    A text cell that is not UTF-8 is missing. Nothing is written: the connection is read-only, and an authorizer checks
    each step of a query. It only allows reading this file and calling functions without side effects.

    Raises:
        TableError: the file is not a database; the query fails, does more than read or takes too long; no table is
            named and there are several; or a column has mixed types.
    """
    import sqlite3

    denied, limit = list[str](), TimeLimit(config.query_timeout)

    def read(reading: Reading[tuple[list[str], list[Any]]]) -> tuple[list[str], list[Any]]:
        def read_from(address: str) -> tuple[list[str], list[Any]]:
            # Another thread may do nothing with the connection but interrupt it.
            with closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as connection:
                reading.interrupt = connection.interrupt
                connection.text_factory = _text
                tables = names_of(connection, NAMES)
                query = as_query(config.query, tables, path)
                restrict(connection, denied, limit)
                return _select(connection, query)

        return read_quietly(path, read_from)

    try:
        names, rows = Reading(read).within(limit)
    except (sqlite3.Error, UnicodeError, OSError) as error:  # a name that is not UTF-8; a file that cannot be opened
        if denied:
            raise not_only_reading(denied[0]) from None
        if limit.is_over:
            raise limit.error() from None
        raise TableError(f"cannot read the database: {error}", place=str(path), cure="see table.query") from None
    columns = [[*values] for values in zip(*rows, strict=True)] if rows else [[] for _ in names]
    told = [problem for name, values in zip(names, columns, strict=True) for problem in _drop_damaged(values, name)]
    return Read(pa.Table.from_arrays([column_of(values) for values in columns], names=names), told)


def _text(content: bytes) -> str | type[NotText]:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return NotText


def _drop_damaged(values: list[Any], name: str) -> list[Problem]:
    """Empty cells that are not text, and report them."""
    rows = [row for row, value in enumerate(values) if value is NotText]
    for row in rows:
        values[row] = None
    if not rows:
        return []
    message = f"{count(len(rows), 'text cell')} {be(len(rows))} read as missing: not UTF-8 (first: row {rows[0]})"
    return [finding(message, f"read the bytes with table.query: CAST({as_sql(name)} AS BLOB)", name)]


def _select(connection: Connection, query: str) -> tuple[list[str], list[Any]]:
    """Return the names of the columns, and the rows."""
    import sqlite3

    try:
        cursor = connection.execute(query)
    except (sqlite3.ProgrammingError, sqlite3.Warning) as error:  # the latter in Python 3.11
        if "one statement" in str(error):
            raise not_only_reading("it has more than one statement") from None
        raise
    return [column[0] for column in cursor.description], cursor.fetchall()
