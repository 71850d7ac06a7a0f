"""Find parts of a PostgreSQL query that may do more than compute a value.

A read-only transaction keeps tables as they are. It does not keep a query from reading the server's files, writing
them, waiting, or talking to other servers, where the user may: these are functions, which PostgreSQL calls VOLATILE.
Operators, aggregates, casts, views, policies of tables, constraints of domains, and whatever sorts or groups may call
them without their name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sensorium.table._effect_functions import Kind

TOLD: dict[Kind, str] = {
    "function": (
        "it names {}, a function that PostgreSQL lists as VOLATILE, that runs SQL, or that returns "
        "values whose type has a VOLATILE function: it may do more than compute a value"
    ),
    "aggregate": "it names {}, an aggregate that calls a VOLATILE function",
    "operator": "it uses {}, an operator that calls a VOLATILE function",
    "type": "it names {}, a type whose casts, constraints or operator classes call a VOLATILE function",
    "relation": "it reads {}, a view or a table with policies or types of columns that call a VOLATILE function",
}
WORD = re.compile(r"[^\W\d][\w$]*")
ESCAPED = re.compile(r"\bU&[\"']", re.IGNORECASE)  # names and texts spelt by numbers: what they say can't be seen


def effect_of(query: str, effects: Iterable[tuple[Kind, str]]) -> str:
    """Describe the part of a query that may do more than read; empty if there is none.

    A name counts wherever it stands, because SQL can hide a call well.

    Args:
        query: SQL.
        effects: kind and name of what calls a volatile function, as found by `EFFECTS`.
    """
    if ESCAPED.search(query):
        return "it contains names written as U&"
    words, bare = {word.lower() for word in WORD.findall(query)}, query.replace('""', '"')
    for kind, name in effects:
        spelt = kind == "operator" or not WORD.fullmatch(name) or name != name.lower()
        if name in words or (spelt and name in bare):
            return TOLD[kind].format(name)
    return ""


def effect_of_table(name: str, effects: Iterable[tuple[Kind, str]]) -> str:
    """Do the same for all rows of a table or view."""
    return TOLD["relation"].format(name) if ("relation", name) in effects else ""
