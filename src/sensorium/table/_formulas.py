"""Text that a spreadsheet reads as a formula when it opens a CSV file (CSV injection, CWE-1236)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sensorium.findings import Problem, count
from sensorium.table._read import finding

SIGN = "[=+\\-@＝＋－＠]"
BLANK = "(?:[\\s\x0b]|\u00a0|\u3000|\ufeff)"
STARTS = f"^(?:[\\t\\r\\n]|{BLANK}*{SIGN})"
# Where a spreadsheet parts lines at semicolons or tabs, or takes a line break for the end of a row, what follows is a
# cell of its own. A sign there is one of a list (`1;-2`, `- eggs`) unless something in its cell can be called or run.
INSIDE = "([;\\t\\r\\n])([=@＝＠]|[+\\-＋－][^;\\t\\r\\n]*[(|!])"


def find_formulas(table: pa.Table, numbers: Collection[str] = (), *, safe: bool) -> list[Problem]:
    """Report text that is read as a formula, in one finding for the table; column names count as cells.

    Args:
        table: the table to write; only text is checked.
        numbers: columns of text whose cells are all numbers; only their names are checked.
        safe: whether an apostrophe is put before such cells.
    """
    columns = zip(table.schema, table.columns, strict=True)
    found = {field.name: _number(_plain(column)) for field, column in columns if _may_hold(field, numbers)}
    cells = {name: number for name, number in found.items() if number}
    header = _number(pa.array(table.column_names, pa.string()))
    total = sum(cells.values()) + header
    if not total:
        return []
    where = ", ".join([*map(repr, cells), *(["the header"] if header else [])])
    one = total == 1
    begin, hold = ("begins", "holds") if one else ("begin", "hold")
    signs = f"{begin} with =, +, -, @, a tab or a line break, or {hold} a formula after a semicolon, tab or line break"
    what = f"{count(total, 'text cell')} ({where}) {signs}"
    if safe:
        return [finding(f"{what}: an apostrophe is put before {'it' if one else 'each'}")]
    message = f"{what}: a spreadsheet may run {'it as a formula' if one else 'them as formulas'}; written unchanged"
    return [finding(message, "write with --safe-csv (safe_csv=True), or as .xlsx, if a spreadsheet opens the file")]


def without_formulas(table: pa.Table, numbers: Collection[str] = ()) -> pa.Table:
    """Put an apostrophe before each formula, so that spreadsheets read it as text."""
    pairs = zip(table.schema, table.columns, strict=True)
    columns = [_marked(_plain(cells)) if _may_hold(field, numbers) else cells for field, cells in pairs]
    return pa.Table.from_arrays(columns, _marked(pa.array(table.column_names, pa.string())).to_pylist())


def _may_hold(field: pa.Field, numbers: Collection[str]) -> bool:
    return _is_text(field.type) and field.name not in numbers


def _is_text(kind: pa.DataType) -> bool:
    """Return whether the column is text in a CSV file, as dictionaries of text are, too."""
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the cells without a dictionary."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _number(column: pa.Array | pa.ChunkedArray) -> int:
    return int(pc.sum(_match(column, f"{STARTS}|{INSIDE}")).as_py() or 0)


def _match(column: pa.Array | pa.ChunkedArray, pattern: str) -> pa.Array | pa.ChunkedArray:
    return pc.fill_null(pc.match_substring_regex(column, pattern), False)


def _marked(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    column = pc.replace_substring_regex(column, INSIDE, r"\1'\2")
    return pc.if_else(_match(column, STARTS), pc.binary_join_element_wise(*_around(column)), column)


def _around(column: pa.Array | pa.ChunkedArray) -> tuple[Any, Any, Any]:
    """Return an apostrophe, the cells, and the separator to join them with, all of the same type."""
    mark, nothing = pa.array(["'", ""]).cast(column.type)
    return mark, column, nothing
