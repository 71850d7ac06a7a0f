"""Functions and words of PostgreSQL that do more than compute a value."""

from __future__ import annotations

from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["function", "aggregate", "operator", "type", "relation"]

# Of PostgreSQL's own these give another value at each call, and no more.
HARMLESS = ("clock_timestamp", "gen_random_uuid", "random", "random_normal", "timeofday", "uuidv4", "uuidv7")
# These are not VOLATILE, but run SQL from a text or a setting: functions of PostgreSQL, tablefunc and xml2.
RUN_SQL = (
    *(f"{what}_to_{form}" for what in ("table", "schema", "database", "query", "cursor")
      for form in ("xml", "xmlschema", "xml_and_xmlschema")),
    "crosstab", "crosstab2", "crosstab3", "crosstab4", "connectby", "xpath_table", "pg_input_is_valid",
    "pg_input_error_info", "ts_stat",
)  # fmt: skip
# What calls a volatile function, however deep, by kind and name. PostgreSQL keeps the code of views, policies and
# constraints as trees, in which functions, operators, types and tables stand by number. What sorts, groups, joins or
# holds a range of values calls functions of their type's operator classes, what spells them may call a cast: no query
# needs to name these, so that whatever has values of such a type counts.
EFFECTS = rf"""
WITH RECURSIVE volatile AS (
    SELECT oid, proname FROM pg_proc WHERE prokind = 'p' OR proname = ANY ('{{{",".join(RUN_SQL)}}}')
        OR provolatile = 'v'
        AND NOT (pronamespace = 'pg_catalog'::regnamespace AND proname = ANY ('{{{",".join(HARMLESS)}}}'))
), aggregates AS (
    SELECT p.oid, p.proname FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
    WHERE EXISTS (SELECT FROM volatile v WHERE v.oid IN (aggtransfn, aggfinalfn, aggcombinefn, aggserialfn,
        aggdeserialfn, aggmtransfn, aggminvtransfn, aggmfinalfn))
), calls AS (
    SELECT oid FROM volatile UNION SELECT oid FROM aggregates
), operators AS (
    SELECT oid, oprname FROM pg_operator WHERE oprcode IN (SELECT oid FROM volatile)
), families AS (
    SELECT amprocfamily AS oid FROM pg_amproc WHERE amproc IN (SELECT oid FROM volatile)
    UNION SELECT amopfamily FROM pg_amop WHERE amopopr IN (SELECT oid FROM operators)
), members AS (
    SELECT typelem AS member, oid FROM pg_type WHERE typelem <> 0
    UNION SELECT typbasetype, oid FROM pg_type WHERE typbasetype <> 0
    UNION SELECT atttypid, reltype FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE NOT attisdropped
    UNION SELECT rngsubtype, rngtypid FROM pg_range UNION SELECT rngtypid, rngmultitypid FROM pg_range
), kinds AS (
    SELECT opcintype AS oid FROM pg_opclass WHERE opcfamily IN (SELECT oid FROM families)
    UNION SELECT side FROM pg_amproc, unnest(ARRAY[amproclefttype, amprocrighttype]) AS side
        WHERE amprocfamily IN (SELECT oid FROM families)
    UNION SELECT side FROM pg_amop, unnest(ARRAY[amoplefttype, amoprighttype]) AS side
        WHERE amopfamily IN (SELECT oid FROM families)
    UNION SELECT rngtypid FROM pg_range JOIN pg_opclass o ON o.oid = rngsubopc
        WHERE opcfamily IN (SELECT oid FROM families)
        OR EXISTS (SELECT FROM volatile v WHERE v.oid IN (rngcanonical, rngsubdiff))
    UNION SELECT castsource FROM pg_cast JOIN pg_type t ON t.oid = castsource
        WHERE castfunc IN (SELECT oid FROM volatile) AND typnamespace <> 'pg_catalog'::regnamespace
), compared AS (
    SELECT oid FROM kinds UNION SELECT m.oid FROM members m JOIN compared c ON m.member = c.oid WHERE m.oid <> 0
), givers AS (
    SELECT oid, proname FROM pg_proc WHERE prorettype IN (SELECT oid FROM compared)
        OR proallargtypes && ARRAY(SELECT oid FROM compared)
), code AS (
    SELECT 'relation' AS kind, ev_class AS owner, ev_action::text AS tree FROM pg_rewrite
        JOIN pg_class c ON c.oid = ev_class WHERE relkind = 'v' AND ev_type = '1'
    UNION ALL SELECT 'relation', polrelid, polqual::text FROM pg_policy WHERE polqual IS NOT NULL
    UNION ALL SELECT 'type', contypid, conbin::text FROM pg_constraint WHERE contypid <> 0 AND conbin IS NOT NULL
), parts AS (
    SELECT DISTINCT kind, owner, CASE WHEN found[1] IN ('opno', 'eqop', 'sortop') THEN 'operator'
        WHEN found[1] = 'relid' THEN 'relation' WHEN found[1] = 'resulttype' THEN 'type' ELSE 'function' END AS part,
        found[2]::oid AS oid
    FROM code, regexp_matches(tree,
        ':(funcid|opfuncid|aggfnoid|winfnoid|opno|eqop|sortop|relid|resulttype) (\d+)', 'g') AS found
), effects AS (
    SELECT kind, owner FROM parts WHERE part = 'function' AND oid IN (SELECT oid FROM calls)
        OR part = 'operator' AND oid IN (SELECT oid FROM operators)
    UNION SELECT kind, owner FROM code, regexp_matches(tree,
        ':(?:resulttype|vartype|consttype|funcresulttype|row_typeid) (\d+)', 'g') AS found
        WHERE EXISTS (SELECT FROM compared) AND found[1]::oid IN (SELECT oid FROM compared)
    UNION SELECT 'relation', attrelid FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        WHERE relkind <> 'c' AND attnum > 0 AND atttypid IN (SELECT oid FROM compared)
    UNION SELECT 'relation', oid FROM pg_class WHERE relkind <> 'c' AND reltype IN (SELECT oid FROM compared)
    UNION SELECT p.kind, p.owner FROM parts p JOIN effects e ON p.part = e.kind AND p.oid = e.owner
)
SELECT 'function', proname::text FROM volatile UNION SELECT 'function', proname::text FROM givers
UNION SELECT 'aggregate', proname::text FROM aggregates
UNION SELECT 'operator', oprname::text FROM operators
UNION SELECT 'operator', oprname::text FROM pg_operator WHERE oprresult IN (SELECT oid FROM compared)
UNION SELECT 'type', typname::text FROM pg_cast JOIN pg_type t ON t.oid IN (castsource, casttarget)
    WHERE castfunc IN (SELECT oid FROM volatile)
UNION SELECT 'type', typname::text FROM compared JOIN pg_type USING (oid)
UNION SELECT 'type', typname::text FROM effects JOIN pg_type t ON t.oid = owner WHERE kind = 'type'
UNION SELECT 'relation', relname::text FROM effects JOIN pg_class c ON c.oid = owner WHERE kind = 'relation'
ORDER BY 1, 2"""
