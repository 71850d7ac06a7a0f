"""DuckDB: a table or view of a database file, or what a query selects."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import MissingExtraError, TableError
from sensorium.table._query import as_query

SUFFIXES = (".duckdb", ".ddb")
QUERY = True
NAMES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY table_name"
# A query reads this file and no other, nothing is fetched from the network, and rows keep one order.
SETTINGS = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": "1",
}


def duckdb(path: Path, config: TableConfig) -> pa.Table:
    """The rows that `table.query` selects or names; without it, those of the file's only table. Nothing is written.

    Raises:
        TableError: no database, a fault in the query, or several tables and none named.
        MissingExtraError: DuckDB is not installed.
    """
    try:
        import duckdb as engine
    except ImportError as error:
        raise MissingExtraError("DuckDB is not installed", cure="pip install 'sensorium[duckdb]'") from error
    try:
        with engine.connect(str(path), read_only=True, config=dict(SETTINGS)) as connection:
            tables = [name for (name,) in connection.execute(NAMES).fetchall()]
            query = as_query(config.query, tables, path)
            if [statement.type for statement in connection.extract_statements(query)] != [engine.StatementType.SELECT]:
                raise TableError("the query selects nothing", place="table.query", rule="one SELECT, or a table's name")
            return connection.sql(query).to_arrow_table()
    except (engine.Error, pa.ArrowException) as error:
        raise TableError(f"the database can't be read: {error}", place=str(path), cure="see table.query") from None
