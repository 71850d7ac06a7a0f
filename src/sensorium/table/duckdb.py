"""DuckDB: a table or view of a database file, or the result of a query."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import TableConfig
from sensorium.errors import MissingExtraError, TableError
from sensorium.findings import Problem
from sensorium.table._query import TimeLimit, as_query, as_sql, not_only_reading
from sensorium.table._read import Read, finding
from sensorium.table._waiting import Reading

SUFFIXES = (".duckdb", ".ddb")
QUERY = True
NAMES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY table_name"
# A query reads this file and no other, sees no variable of Python, fetches nothing and changes no setting; what does
# not fit in memory is not put beside the file; rows keep one order.
SETTINGS = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "threads": "1",
    "lock_configuration": "true",
}
WIDE = ("HUGEINT", "UHUGEINT")  # whole numbers of 128 bits, up to 39 digits; DuckDB gives them to Arrow as 38
NESTED_WIDE = re.compile(r"\bU?HUGEINT\b")
EXACT = pa.decimal128(38, 0)
TOO_LONG = r"\d{39}"
# Of these Arrow is given DuckDB's own bytes, a time without its zone, a time of day that it doesn't know (24:00), or
# what nothing here can read.
SPELT = ("bit", "bignum", "geometry", "variant", "interval", "time", "time_ns", "time with time zone")


def duckdb(path: Path, config: TableConfig) -> Read:
    """Read the rows that `table.query` selects or names; by default those of the file's only table. Nothing is written.

    Raises:
        TableError: the file is not a database, the query fails, does more than read or takes too long, or no table is
            named and there are several.
        MissingExtraError: DuckDB is not installed.
    """
    try:
        import duckdb as engine
    except ImportError as error:
        raise MissingExtraError("DuckDB is not installed", cure="pip install 'sensorium[duckdb]'") from error

    def read(reading: Reading[Read]) -> Read:
        with engine.connect(str(path), read_only=True, config=dict(SETTINGS)) as connection:
            reading.interrupt = connection.interrupt
            tables = [name for (name,) in connection.execute(NAMES).fetchall()]
            return _select(engine, connection, as_query(config.query, tables, path))

    try:
        return Reading(read).within(TimeLimit(config.query_timeout))
    except (engine.Error, pa.ArrowException) as error:
        raise TableError(f"cannot read the database: {error}", place=str(path), cure="see table.query") from None


def _select(engine: Any, connection: Any, query: str) -> Read:
    kinds = [statement.type for statement in connection.extract_statements(query)]
    if kinds != [engine.StatementType.SELECT]:
        told = kinds[0].name if len(kinds) == 1 else f"{len(kinds)} statements"
        raise not_only_reading(f"it is {told}")
    found = connection.sql(query)
    asked = [_readable(f"#{place}", kind) for place, kind in enumerate(found.types, 1)]
    plain = all(cell.startswith("#") for cell in asked)
    table = (found if plain else found.project(", ".join(asked))).to_arrow_table().rename_columns(found.columns)
    told = list[Problem]()
    for place, kind in enumerate(found.types):
        if str(kind) in WIDE:
            table, more = _as_numbers(table, place)
            told += more
        elif NESTED_WIDE.search(str(kind)) and not _is_spelt(kind):
            said = "its 128-bit integers are read as floating point numbers"
            told.append(finding(said, "", table.field(place).name))
    return Read(table, told)


def _readable(cell: str, kind: Any) -> str:
    """Return the SQL expression for a column's cells in a form that Arrow supports.

    As text, if Arrow would give bytes or lose digits; whole numbers of 128 bits as text, inside lists as floats.
    """
    if str(kind) in WIDE:
        return f"CAST({cell} AS VARCHAR)"
    if _is_spelt(kind):
        listed = kind.id == "list" and kind.children[0][1].id in SPELT
        return f"CAST({cell} AS VARCHAR{'[]' if listed else ''})"
    if NESTED_WIDE.search(str(kind)):
        return f"CAST({cell} AS {NESTED_WIDE.sub('DOUBLE', str(kind))})"
    return cell


def _is_spelt(kind: Any) -> bool:
    if kind.id in SPELT:
        return True
    parts = kind.children if kind.id in ("list", "array", "struct", "map", "union") else ()
    return any(_is_spelt(part) for _, part in parts if not isinstance(part, int))


def _as_numbers(table: pa.Table, place: int) -> tuple[pa.Table, list[Problem]]:
    """Return the column as numbers; unchanged, as text, if one of them is too long."""
    name, cells = table.field(place).name, table.column(place)
    if pc.any(pc.match_substring_regex(cells, TOO_LONG)).as_py():  # a cast of Arrow would wrap some of them around
        message = f"integers of {EXACT.precision + 1} digits are read as text: Arrow has no numeric type for them"
        return table, [
            finding(message, f"CAST({as_sql(name)} AS DOUBLE) in table.query reads them as numbers, rounded", name)
        ]
    return table.set_column(place, name, cells.cast(EXACT)), []
