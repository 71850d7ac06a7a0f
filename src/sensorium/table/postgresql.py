"""PostgreSQL: a table or view of a server's database, or what a query selects."""

from __future__ import annotations

from contextlib import closing
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import MissingExtraError, TableError
from sensorium.table._query import as_query, without_secrets

SCHEMES = ("postgresql", "postgres")
QUERY = True
NAMES = """SELECT table_name FROM information_schema.tables WHERE table_schema = ANY (current_schemas(false))
ORDER BY table_name"""
PATIENCE = 15  # seconds for a server to answer at all


def postgresql(address: str, config: TableConfig) -> pa.Table:
    """The rows that `table.query` selects or names; without it, those of the database's only table.

    Through ADBC, which hands over Arrow's own columns: no Python object a cell. The transaction is read-only. A
    password is better kept out of the address: PGPASSWORD, PGPASSFILE and ~/.pgpass are read.

    Args:
        address: `postgresql://user@host:port/database`, with libpq's parameters after `?`.
        config: `query`.

    Raises:
        TableError: no such server, database or table, a fault in the query, or several tables and none named.
        MissingExtraError: the driver is not installed.
    """
    try:
        import adbc_driver_manager
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        cure = "pip install 'sensorium[postgresql]'"
        raise MissingExtraError("the driver of PostgreSQL is not installed", cure=cure) from error
    place = without_secrets(address)
    try:
        with closing(dbapi.connect(_patient(address))) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(NAMES)
            tables = [name for (name,) in cursor.fetchall()]
            cursor.execute(as_query(config.query, tables, place))
            return cursor.fetch_arrow_table()
    except (adbc_driver_manager.Error, pa.ArrowException) as error:
        reason = _masked(str(error), address)
        raise TableError(f"the database can't be read: {reason}", place=place, cure="see table.query") from None


def _patient(address: str) -> str:
    """The address with a limit of the time to connect, unless it has one."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise TableError(f"the address can't be read: {error}", place=without_secrets(address)) from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    return parts._replace(query=urlencode({"connect_timeout": str(PATIENCE), **options})).geturl()


def _masked(text: str, address: str) -> str:
    """What a library says, in one line and without the password."""
    parts = urlsplit(address)
    secrets = [parts.password, dict(parse_qsl(parts.query)).get("password")]
    for secret in filter(None, secrets):
        text = text.replace(unquote(secret), "***").replace(secret, "***")
    return " ".join(text.split())
