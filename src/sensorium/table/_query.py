"""Build the query that reads a database, with a time limit."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sensorium.config import set_both
from sensorium.errors import TableError, did_you_mean

RULE = "one SELECT (WITH … SELECT), or the name of a table"
SELECTS = ("select", "with", "values", "from")  # the last in DuckDB
LEADING = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)  # blanks, brackets and comments


def as_query(query: str | None, tables: Sequence[str], place: object) -> str:
    """Return SQL: the user's query, or a query for all rows of the named or only table.

    Raises:
        TableError: no such table, several tables and none named, or SQL that is not a SELECT.
    """
    if query and any(character.isspace() for character in query.strip()) and query not in tables:
        return _selection(query)
    name = query or (tables[0] if len(tables) == 1 else "")
    if name not in tables:
        finding = f"the database has no table {name!r}" if name else f"the database has {len(tables)} tables"
        cure = did_you_mean(name, tables) if name else f"{set_both('table.query', 'NAME')}, one of {', '.join(tables)}"
        raise TableError(finding, place=str(place), cure=cure)
    return f"SELECT * FROM {as_sql(name)}"


def _selection(query: str) -> str:
    """Return the query without the final semicolon; the database ensures that it only reads."""
    first = re.match(r"\w*", query[LEADING.match(query).end() :]).group().lower()  # type: ignore[union-attr]
    if first not in SELECTS:
        raise not_only_reading(f"it begins with {first.upper()}" if first else "it does not begin with a word")
    return query.strip().rstrip(";").rstrip()


def not_only_reading(reason: str) -> TableError:
    """Return the error for a query that would do more than read."""
    return TableError(f"the query may only read the database: {reason}", place="table.query", rule=RULE)


@dataclass(frozen=True)
class TimeLimit:
    """Time limit of a query, counted from its creation."""

    seconds: float
    _start: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        return not self.left

    @property
    def left(self) -> float:
        """Return the seconds left."""
        return max(0.0, self._start + self.seconds - time.monotonic())

    def error(self) -> TableError:
        """Return the error for a query that exceeded the time limit."""
        return TableError(
            f"the query took longer than {self.seconds:g} seconds",
            place="table.query",
            cure=f"select less, or raise the limit: {set_both('table.query_timeout', math.ceil(10 * self.seconds))}",
        )


def as_sql(name: str) -> str:
    """Quote a column's name for SQL."""
    return '"{}"'.format(name.replace('"', '""'))
