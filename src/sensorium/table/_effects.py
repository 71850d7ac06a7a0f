"""What in a database of PostgreSQL a query must not use: functions that do more than compute a value.

A read-only transaction keeps tables as they are. It does not keep a query from reading the server's files, writing
them, waiting, or talking to other servers, where the user may: these are functions, which PostgreSQL calls VOLATILE.
Operators, aggregates, casts, views, policies of tables and constraints of domains may call them without their name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["function", "aggregate", "operator", "type", "relation"]

# Of PostgreSQL's own these give another value at each call, and no more.
HARMLESS = ("clock_timestamp", "gen_random_uuid", "random", "random_normal", "timeofday", "uuidv4", "uuidv7")
# What calls a volatile function, however deep, by kind and name. PostgreSQL keeps the code of views, policies and
# constraints as trees, in which functions, operators, types and tables stand by number.
EFFECTS = rf"""
WITH RECURSIVE volatile AS (
    SELECT oid, proname FROM pg_proc WHERE prokind = 'p' OR provolatile = 'v'
        AND NOT (pronamespace = 'pg_catalog'::regnamespace AND proname = ANY ('{{{",".join(HARMLESS)}}}'))
), aggregates AS (
    SELECT p.oid, p.proname FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
    WHERE EXISTS (SELECT FROM volatile v WHERE v.oid IN (aggtransfn, aggfinalfn, aggcombinefn, aggserialfn,
        aggdeserialfn, aggmtransfn, aggminvtransfn, aggmfinalfn))
), calls AS (
    SELECT oid FROM volatile UNION SELECT oid FROM aggregates
), operators AS (
    SELECT oid, oprname FROM pg_operator WHERE oprcode IN (SELECT oid FROM volatile)
), code AS (
    SELECT 'relation' AS kind, ev_class AS owner, ev_action::text AS tree FROM pg_rewrite
        JOIN pg_class c ON c.oid = ev_class WHERE relkind = 'v' AND ev_type = '1'
    UNION ALL SELECT 'relation', polrelid, polqual::text FROM pg_policy WHERE polqual IS NOT NULL
    UNION ALL SELECT 'type', contypid, conbin::text FROM pg_constraint WHERE contypid <> 0 AND conbin IS NOT NULL
), parts AS (
    SELECT DISTINCT kind, owner, CASE found[1] WHEN 'opno' THEN 'operator' WHEN 'relid' THEN 'relation'
        WHEN 'resulttype' THEN 'type' ELSE 'function' END AS part, found[2]::oid AS oid
    FROM code, regexp_matches(tree, ':(funcid|opfuncid|aggfnoid|winfnoid|opno|relid|resulttype) (\d+)', 'g') AS found
), effects AS (
    SELECT kind, owner FROM parts WHERE part = 'function' AND oid IN (SELECT oid FROM calls)
        OR part = 'operator' AND oid IN (SELECT oid FROM operators)
    UNION SELECT p.kind, p.owner FROM parts p JOIN effects e ON p.part = e.kind AND p.oid = e.owner
)
SELECT 'function', proname::text FROM volatile
UNION SELECT 'aggregate', proname::text FROM aggregates
UNION SELECT 'operator', oprname::text FROM operators
UNION SELECT 'type', typname::text FROM pg_cast JOIN pg_type t ON t.oid IN (castsource, casttarget)
    WHERE castfunc IN (SELECT oid FROM volatile)
UNION SELECT 'type', typname::text FROM effects JOIN pg_type t ON t.oid = owner WHERE kind = 'type'
UNION SELECT 'relation', relname::text FROM effects JOIN pg_class c ON c.oid = owner WHERE kind = 'relation'
ORDER BY 1, 2"""
TOLD: dict[Kind, str] = {
    "function": "it names {}, a function that PostgreSQL lists as VOLATILE: it may do more than compute a value",
    "aggregate": "it names {}, an aggregate that calls a VOLATILE function",
    "operator": "it uses {}, an operator that calls a VOLATILE function",
    "type": "it names {}, a type whose casts or constraints call a VOLATILE function",
    "relation": "it reads {}, a view or a table with policies that call a VOLATILE function",
}
WORD = re.compile(r"[^\W\d][\w$]*")
ESCAPED = re.compile(r"\bU&[\"']", re.IGNORECASE)  # names and texts spelt by numbers: what they say can't be seen


def effect_of(query: str, effects: Iterable[tuple[Kind, str]]) -> str:
    """What in a query may do more than read, in words; empty where there is nothing.

    A name in any place counts, for SQL can hide a call well.

    Args:
        query: SQL.
        effects: kind and name of what calls a volatile function, as `EFFECTS` finds them.
    """
    if ESCAPED.search(query):
        return "it spells names by U&"
    words, bare = {word.lower() for word in WORD.findall(query)}, query.replace('""', '"')
    for kind, name in effects:
        spelt = kind == "operator" or not WORD.fullmatch(name) or name != name.lower()
        if name in words or (spelt and name in bare):
            return TOLD[kind].format(name)
    return ""


def effect_of_table(name: str, effects: Iterable[tuple[Kind, str]]) -> str:
    """The same, of all rows of a table or view."""
    return TOLD["relation"].format(name) if ("relation", name) in effects else ""
