"""Functions of PostgreSQL that a query must not call: those that do more than compute a value.

A read-only transaction keeps tables as they are. It does not keep a query from reading the server's files, writing
them, waiting, or talking to other servers, where the user may: these are functions, which PostgreSQL calls VOLATILE.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# By name and whether PostgreSQL itself brings the function; a name in any place counts, for SQL can hide a call well.
VOLATILE = """SELECT DISTINCT p.proname, n.nspname = 'pg_catalog' FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.provolatile = 'v' OR p.prokind = 'p'"""
# Of PostgreSQL's own these give another value at each call, and no more.
HARMLESS = ("clock_timestamp", "gen_random_uuid", "random", "random_normal", "timeofday", "uuidv4", "uuidv7")
WORD = re.compile(r"[^\W\d][\w$]*")
ESCAPED = re.compile(r"\bU&[\"']", re.IGNORECASE)  # names and texts spelt by numbers: what they say can't be seen


def effect_of(query: str, volatile: Iterable[tuple[str, bool]]) -> str:
    """What in a query may do more than read, in words; empty where there is nothing.

    Args:
        query: SQL.
        volatile: names of the server's volatile functions, and whether they are PostgreSQL's own.
    """
    if ESCAPED.search(query):
        return "it spells names by U&"
    words, bare = {word.lower() for word in WORD.findall(query)}, query.replace('""', '"')
    for name, own in volatile:
        if own and name in HARMLESS:
            continue
        if name in words or ((not WORD.fullmatch(name) or name != name.lower()) and name in bare):
            return f"it names {name}, a function that PostgreSQL lists as VOLATILE: it may do more than compute a value"
    return ""
