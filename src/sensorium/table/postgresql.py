"""PostgreSQL: a table or view of a server's database, or what a query selects."""

from __future__ import annotations

import math
from contextlib import closing
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import MissingExtraError, TableError
from sensorium.table._effects import VOLATILE, effect_of
from sensorium.table._query import TimeLimit, as_query, not_only_reading, without_secrets
from sensorium.table._waiting import Reading

SCHEMES = ("postgresql", "postgres")
QUERY = True
NAMES = """SELECT table_name FROM information_schema.tables WHERE table_schema = ANY (current_schemas(false))
ORDER BY table_name"""
SETTINGS = ("SET TRANSACTION READ ONLY", "SET LOCAL standard_conforming_strings = on")
LONGEST = 2_000_000  # seconds: PostgreSQL counts milliseconds in 31 bits
PATIENCE = 15  # seconds for a server to answer at all


def postgresql(address: str, config: TableConfig) -> pa.Table:
    """The rows that `table.query` selects or names; without it, those of the database's only table.

    Through ADBC, which hands over Arrow's own columns: no Python object a cell. The transaction is read-only and has a
    limit of time, and a query of the user's own calls no function that does more than compute a value. A password is
    better kept out of the address: PGPASSWORD, PGPASSFILE and ~/.pgpass are read.

    Args:
        address: `postgresql://user@host:port/database`, with libpq's parameters after `?`.
        config: `query`, `query_seconds`.

    Raises:
        TableError: no such server, database or table, a fault in the query, one that does more than read or takes too
            long, or several tables and none named.
        MissingExtraError: the driver is not installed.
    """
    try:
        import adbc_driver_manager
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        cure = "pip install 'sensorium[postgresql]'"
        raise MissingExtraError("the driver of PostgreSQL is not installed", cure=cure) from error
    place, limit, patient = without_secrets(address), TimeLimit(config.query_seconds), _patient(address)

    def read(reading: Reading[pa.Table]) -> pa.Table:
        with closing(dbapi.connect(patient)) as connection, closing(connection.cursor()) as cursor:
            reading.interrupt = connection.adbc_cancel
            return _select(cursor, config, place)

    try:
        return Reading(read).within(limit)
    except (adbc_driver_manager.Error, pa.ArrowException) as error:
        if limit.is_over and "statement timeout" in str(error):
            raise limit.error() from None
        reason = _masked(str(error), address)
        raise TableError(f"the database can't be read: {reason}", place=place, cure="see table.query") from None


def _select(cursor: Any, config: TableConfig, place: str) -> pa.Table:
    """The rows, read in one transaction, which nothing but its first statements can make read-only or not."""
    for setting in SETTINGS:
        cursor.execute(setting)
    cursor.execute(f"SET LOCAL statement_timeout = {math.ceil(1000 * min(config.query_seconds, LONGEST))}")
    cursor.execute(NAMES)
    tables = [name for (name,) in cursor.fetchall()]
    query = as_query(config.query, tables, place)
    if config.query not in (None, *tables):
        cursor.execute(VOLATILE)
        if effect := effect_of(query, cursor.fetchall()):
            raise not_only_reading(effect)
    cursor.execute(f"{query}\n")  # a comment at its end must end before what the driver puts behind it
    return cursor.fetch_arrow_table()


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
