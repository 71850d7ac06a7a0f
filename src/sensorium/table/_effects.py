"""Find parts of a PostgreSQL query that may do more than compute a value.

A read-only transaction does not change tables. But its functions can still read and write files of the server, wait, or
connect to other servers, if the user has the permission. PostgreSQL calls such functions VOLATILE. Operators,
aggregates, casts, views, table policies, domain constraints, sorting and grouping may call them without naming them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sensorium.table._effect_functions import Kind

TOLD: dict[Kind, str] = {
    "function": (
        "it names {}, a function that may have side effects (it is VOLATILE, runs SQL, or its return "
        "type has VOLATILE functions)"
    ),
    "aggregate": "it names {}, an aggregate that calls a VOLATILE function",
    "operator": "it uses {}, an operator that calls a VOLATILE function",
    "type": "it names {}, a type whose casts, constraints or operator classes call a VOLATILE function",
    "relation": "it reads {}, a view or table whose policies or column types call a VOLATILE function",
}
WORD = re.compile(r"[^\W\d][\w$]*")
ESCAPED = re.compile(r"\bU&[\"']", re.IGNORECASE)  # names and texts spelt by numbers: what they say can't be seen


def effect_of(query: str, effects: Iterable[tuple[Kind, str]]) -> str:
    """Describe the part of a query that may do more than read; empty if there is none.

    A name counts anywhere in the query, because SQL can hide calls.

    Args:
        query: SQL.
        effects: kind and name of each object that calls a volatile function, found by `EFFECTS`.
    """
    if ESCAPED.search(query):
        return "it contains Unicode escapes (U&)"
    words, bare = {word.lower() for word in WORD.findall(query)}, query.replace('""', '"')
    for kind, name in effects:
        spelt = kind == "operator" or not WORD.fullmatch(name) or name != name.lower()
        if name in words or (spelt and name in bare):
            return TOLD[kind].format(name)
    return ""


def effect_of_table(name: str, effects: Iterable[tuple[Kind, str]]) -> str:
    """Check a table or view that is read completely, as `effect` does for a query."""
    return TOLD["relation"].format(name) if ("relation", name) in effects else ""
