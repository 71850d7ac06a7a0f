"""Text that a spreadsheet takes for a formula when it opens a CSV file (CSV injection, CWE-1236)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from sensorium.problems import Problem, count
from sensorium.table._read import finding

STARTS = r"^[=+\-@\t\r]"
SIGNS = "=, +, -, @, a tab or a carriage return"


def find_formulas(table: pa.Table, safe: bool) -> list[Problem]:
    """One finding for the table, if it has such cells; names of columns are cells of the header.

    Args:
        table: what is written; numbers and moments are no text, whatever their sign.
        safe: an apostrophe is put before them.
    """
    found = {f.name: _number(column) for f, column in zip(table.schema, table.columns, strict=True) if _is_text(f)}
    cells = {name: number for name, number in found.items() if number}
    header = _number(pa.array(table.column_names, pa.string()))
    total = sum(cells.values()) + header
    if not total:
        return []
    where = ", ".join([*map(repr, cells), *(["the header"] if header else [])])
    one = total == 1
    what = f"{count(total, 'text cell')} ({where}) {'begins' if one else 'begin'} with {SIGNS}"
    if safe:
        return [finding(f"{what}: an apostrophe is put before {'it' if one else 'each'}")]
    told = f"{what}: a spreadsheet may run {'it as a formula' if one else 'them as formulas'}; written unchanged"
    return [finding(told, "write with --safe-csv (safe_csv=True), or as .xlsx, if a spreadsheet opens the file")]


def without_formulas(table: pa.Table) -> pa.Table:
    """An apostrophe before each of them, which spreadsheets take for the mark of text."""
    for place, field in enumerate(table.schema):
        if _is_text(field):
            table = table.set_column(place, field.name, _marked(table.column(place)))
    return table.rename_columns(_marked(pa.array(table.column_names, pa.string())).to_pylist())


def _is_text(field: pa.Field) -> bool:
    return bool(pa.types.is_string(field.type) or pa.types.is_large_string(field.type))


def _number(column: pa.Array | pa.ChunkedArray) -> int:
    return int(pc.sum(_starts(column)).as_py() or 0)


def _starts(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.fill_null(pc.match_substring_regex(column, STARTS), False)


def _marked(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.if_else(_starts(column), pc.binary_join_element_wise("'", column, ""), column)
