"""Let a query on SQLite only read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sensorium.table._query import TimeLimit, as_sql

if TYPE_CHECKING:
    from sqlite3 import Connection
NAMES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
VIRTUAL = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL %'"
FUNCTIONS = "SELECT name, flags FROM pragma_function_list"
INNOCUOUS = 0x200000  # SQLite's own mark of a function that has no effect but its value
# Functions without this mark that only compute: those of JSON, and those that show what a full-text search found.
HARMLESS = ("->", "->>", "bm25", "highlight", "match", "matchinfo", "offsets", "snippet")
ASKED = ("data_version", "page_size")  # what full-text search itself asks for
ACTIONS = (
    "SQLITE_ALTER_TABLE", "SQLITE_ANALYZE", "SQLITE_ATTACH", "SQLITE_CREATE_TABLE", "SQLITE_CREATE_TEMP_TABLE",
    "SQLITE_DELETE", "SQLITE_DETACH", "SQLITE_INSERT", "SQLITE_PRAGMA", "SQLITE_REINDEX", "SQLITE_SAVEPOINT",
    "SQLITE_TRANSACTION", "SQLITE_UPDATE",
)  # fmt: skip
STEPS = 10_000  # of SQLite's machine between two looks at the clock
HARDENED = (
    "PRAGMA query_only = ON",
    "PRAGMA trusted_schema = OFF",  # views of the file may call functions without effects only
    "PRAGMA cell_size_check = ON",
    "PRAGMA mmap_size = 0",
)


def names_of(connection: Connection, query: str) -> list[str]:
    """Return the names of tables; names that are not text, as in a damaged file, are skipped."""
    return [name for (name,) in connection.execute(query) if isinstance(name, str)]


def restrict(connection: Connection, denied: list[str], limit: TimeLimit) -> None:
    """From now on, allow only reading within the time limit; collect refused steps in `denied`."""
    for setting in HARDENED:
        connection.execute(setting)
    open_virtual_tables(connection)
    innocuous = {name.lower() for name, flags in connection.execute(FUNCTIONS) if flags & INNOCUOUS}
    connection.set_authorizer(authorizer({*innocuous, *HARMLESS}, denied))
    connection.set_progress_handler(lambda: limit.is_over, STEPS)


def open_virtual_tables(connection: Connection) -> None:
    """Open virtual tables (of the file and of JSON) in advance, as opening them counts as a schema change."""
    import sqlite3

    names = [as_sql(name) for name in names_of(connection, VIRTUAL)]
    for name in (*names, "json_each('[]')", "json_tree('[]')"):
        try:
            connection.execute(f"SELECT 1 FROM {name} LIMIT 0")
        except sqlite3.Error:  # a missing module is reported when a query names it
            continue


def authorizer(functions: set[str], denied: list[str]) -> Any:
    import sqlite3

    names = {getattr(sqlite3, name): name[7:].replace("_", " ") for name in ACTIONS if hasattr(sqlite3, name)}
    reading = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE)

    def allows(action: int, first: str | None, second: str | None, *_: Any) -> int:
        if action in reading:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            if second and (second.lower() in functions or second.lower().startswith("json")):
                return sqlite3.SQLITE_OK
            denied.append(f"it calls {second}")
        elif action == sqlite3.SQLITE_PRAGMA and first in ASKED:
            return sqlite3.SQLITE_OK
        else:
            denied.append(f"it requires {names.get(action, 'something else')}")
        return sqlite3.SQLITE_DENY

    return allows
