"""What a database is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from sensorium.errors import TableError, did_you_mean


def as_query(query: str | None, tables: Sequence[str], place: object) -> str:
    """SQL: the user's own, or all of the table that is named or alone.

    Raises:
        TableError: no such table, or several and none named.
    """
    if query and any(character.isspace() for character in query.strip()) and query not in tables:
        return query
    name = query or (tables[0] if len(tables) == 1 else "")
    if name not in tables:
        finding = f"the database has no table {name!r}" if name else f"the database has {len(tables)} tables"
        cure = did_you_mean(name, tables) if name else f"--set table.query=NAME, one of {', '.join(tables)}"
        raise TableError(finding, place=str(place), cure=cure)
    return 'SELECT * FROM "{}"'.format(name.replace('"', '""'))


def without_secrets(address: str) -> str:
    """Scheme, host, port and database of an address: what may be written down."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return address.partition("://")[0] + "://"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
