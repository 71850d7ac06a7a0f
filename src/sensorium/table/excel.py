"""Excel and OpenDocument workbooks: one sheet, its first row the header."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import MissingExtraError, TableError, did_you_mean
from sensorium.table._cells import column_of

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")
QUERY = True


def excel(path: Path, config: TableConfig) -> pa.Table:
    """The sheet that `table.query` names, else the only one; formulas as the values that were saved with them.

    Raises:
        TableError: no workbook, several sheets and none named, no header.
        MissingExtraError: python-calamine is not installed.
    """
    try:
        import python_calamine as calamine
    except ImportError as error:
        raise MissingExtraError("python-calamine is not installed", cure="pip install 'sensorium[excel]'") from error
    try:
        with calamine.CalamineWorkbook.from_path(str(path)) as book:
            rows = book.get_sheet_by_name(_sheet(book.sheet_names, config.query, path)).to_python()
    except (calamine.CalamineError, OSError) as error:
        raise TableError(f"the workbook can't be read: {error}", place=str(path)) from None
    if not rows:
        raise TableError("the sheet is empty", place=str(path), rule="a header line, then rows")
    names = [str(name) for name in rows[0]]
    columns = (_plain([row[place] for row in rows[1:]]) for place in range(len(names)))
    arrays = [column_of(values) for values in columns]
    return pa.Table.from_arrays(arrays, names=names)


def _sheet(sheets: list[str], query: str | None, path: Path) -> str:
    if query in sheets:
        return str(query)
    if query or len(sheets) != 1:
        finding = f"the workbook has no sheet {query!r}" if query else f"the workbook has {len(sheets)} sheets"
        cure = did_you_mean(query, sheets) if query else f"--set table.query=NAME, one of {', '.join(sheets)}"
        raise TableError(finding, place=str(path), cure=cure)
    return sheets[0]


def _plain(values: list[Any]) -> list[Any]:
    """Empty cells are missing; whole numbers, which workbooks know only as floats, are whole again where all are;
    moments and truths beside other things are text.
    """
    there = [None if value == "" else value for value in values]
    kinds = {type(value) for value in there if value is not None}
    if kinds == {date, datetime}:  # a moment at midnight is read as a day
        return [datetime.combine(value, time()) if type(value) is date else value for value in there]
    floats = [value for value in there if isinstance(value, float)]
    if len(kinds) > 1 or all(value.is_integer() for value in floats):
        there = [int(value) if isinstance(value, float) and value.is_integer() else value for value in there]
    if len(kinds) > 1:
        there = [value if value is None or isinstance(value, int | float | str) else str(value) for value in there]
    return there
