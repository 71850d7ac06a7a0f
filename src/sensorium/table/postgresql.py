"""PostgreSQL: a table or view of a server's database, or the result of a query."""

from __future__ import annotations

import math
import re
from contextlib import closing
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import MissingExtraError, TableError
from sensorium.table._addresses import without_secrets
from sensorium.table._effect_functions import EFFECTS
from sensorium.table._effects import effect_of, effect_of_table
from sensorium.table._postgresql_types import named, of_several_dimensions, readable
from sensorium.table._query import TimeLimit, as_query, not_only_reading
from sensorium.table._waiting import Reading

SCHEMES = ("postgresql", "postgres")
QUERY = True
# An owner of the database can put operators of their own before PostgreSQL's: ours are looked for in its catalogue.
NAMES = """SELECT table_name FROM information_schema.tables
WHERE table_schema OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(false)) ORDER BY table_name"""
KEPT = "SELECT pg_catalog.current_setting('search_path'), pg_catalog.current_setting('jit')"
SETTINGS = ("SET TRANSACTION READ ONLY", "SET LOCAL standard_conforming_strings = on")
LONGEST = 2_000_000  # seconds: PostgreSQL counts milliseconds in 31 bits
PART = r"(?:[^\s/?#@:\[\]&=%\"]|%[0-9A-Fa-f]{2})*"
PASSWORD = r"(?:[^\s/?#@\[\]%\"]|%[0-9A-Fa-f]{2})*"
HOSTS = r"(?:[^\s/?#@%\"]|%[0-9A-Fa-f]{2})*"  # one or several, with their ports
VALUE = r"(?:[^\s?#@&=%\"]|%[0-9A-Fa-f]{2})*"
FORM = re.compile(rf"\w+://(?:{PART}(?::{PASSWORD})?@)?{HOSTS}(?:/{PART})?(?:\?{PART}={VALUE}(?:&{PART}={VALUE})*)?")
PUBLIC = ("host", "hostaddr", "port", "dbname", "user", "sslmode", "application_name", "target_session_attrs")
PATIENCE = 15  # seconds for a server to answer at all


def postgresql(address: str, config: TableConfig) -> pa.Table:
    """Read the rows that `table.query` selects or names; by default those of the database's only table.

    Rows are read through ADBC, which returns Arrow columns. The transaction is read-only and has a time limit, and the
    query may only call functions without side effects. Do not put a password into the address: PGPASSWORD, PGPASSFILE
    and ~/.pgpass are read.

    Args:
        address: `postgresql://user@host:port/database`, with libpq's parameters after `?`.
        config: settings; `query` and `query_timeout` are used.

    Raises:
        TableError: the server, database or table does not exist; the query fails, does more than read or takes too
            long; or no table is named and there are several.
        MissingExtraError: the driver is not installed.
    """
    try:
        import adbc_driver_manager
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        cure = "pip install 'sensorium[postgresql]'"
        raise MissingExtraError("the PostgreSQL driver is not installed", cure=cure) from error
    place, limit, patient = without_secrets(address), TimeLimit(config.query_timeout), _patient(address)

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
        raise TableError(f"cannot read the database: {reason}", place=place, cure="see table.query") from None


def _select(cursor: Any, config: TableConfig, place: str) -> pa.Table:
    """Read the rows in one transaction, made read-only by its first statements."""
    for setting in SETTINGS:
        cursor.execute(setting)
    cursor.execute(f"SET LOCAL statement_timeout = {math.ceil(1000 * min(config.query_timeout, LONGEST))}")
    cursor.execute(NAMES)
    tables = [name for (name,) in cursor.fetchall()]
    query = as_query(config.query, tables, place)
    name, effects = config.query or tables[0], _effects(cursor)
    if effect := effect_of_table(name, effects) if name in tables else effect_of(query, effects):
        raise not_only_reading(effect)
    return _rows(cursor, query)


def _rows(cursor: Any, query: str) -> pa.Table:
    """Return the rows of a query; a line break ends a comment at the end of the query."""
    fields = cursor.adbc_execute_schema(f"{query}\n")
    found = _read(cursor, readable(query, fields))
    if nested := of_several_dimensions(found, fields):
        found = _read(cursor, readable(query, fields, nested))
    return named(found, fields)


def _read(cursor: Any, query: str) -> pa.Table:
    cursor.execute(f"{query}\n")
    return cursor.fetch_arrow_table()


def _effects(cursor: Any) -> list[Any]:
    """Return kind and name of everything that a query must not use; the search path is restored."""
    cursor.execute(KEPT)
    kept = cursor.fetchall()[0]
    cursor.execute("SET LOCAL search_path = pg_catalog, pg_temp")
    cursor.execute("SET LOCAL jit = off")  # compiling takes many times as long as answering
    cursor.execute(EFFECTS)
    found = cursor.fetchall()
    for name, value in zip(("search_path", "jit"), kept, strict=True):
        spelt = value.replace("'", "''")
        cursor.execute(f"SELECT pg_catalog.set_config('{name}', '{spelt}', true)")
        cursor.fetchall()
    return found


def _patient(address: str) -> str:
    """Return the address with a time limit for connecting, unless it has one."""
    parts = _parts(address)
    if "connect_timeout" in dict(parse_qsl(parts.query, keep_blank_values=True)):
        return address
    return f"{address}{'&' if parts.query else '?'}connect_timeout={PATIENCE}"


def _parts(address: str) -> SplitResult:
    """Split an address as libpq does, so that errors of libpq cannot quote a secret from another part.

    Raises:
        TableError: a character must be encoded.
    """
    try:
        parts = urlsplit(address)
    except ValueError:  # of an IPv6 address
        parts = None
    if parts is None or not FORM.fullmatch(address):
        finding = "cannot read the address: a part of it has a character that must be encoded"
        cure = "write @ in a password as %40, / as %2F, ? as %3F, # as %23, & as %26, = as %3D, % as %25"
        form = "postgresql://user:password@host:port/database?parameter=value&…"
        raise TableError(finding, place=f"{address.partition(':')[0]}://", rule=form, cure=cure)
    return parts


def _masked(text: str, address: str) -> str:
    """Return a library's message on one line, with only user, host, port and database of the address."""
    parts = urlsplit(address)
    told = {unquote(part) for part in (parts.username or "", parts.hostname or "", parts.path.strip("/"))}
    options = parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True)
    secrets = [parts.password or "", *(value for key, value in options if key not in PUBLIC)]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(unquote(secret), "***").replace(secret, "***")
    plain = unquote(address)
    quoted = re.compile(r'"([^"]*)"')
    text = quoted.sub(lambda each: each[0] if each[1] in told or each[1] not in plain else '"***"', text)
    return " ".join(text.split())
