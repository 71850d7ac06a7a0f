"""Excel and OpenDocument workbooks: one sheet, whose first row is the header."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from sensorium.config import TableConfig, set_both
from sensorium.errors import MissingExtraError, TableError, did_you_mean
from sensorium.findings import Problem, count, shorten
from sensorium.table._cells import column_of
from sensorium.table._column import Origin
from sensorium.table._object_columns import table_of
from sensorium.table._read import Read, finding
from sensorium.table._workbook_formulas import CURE, UNREAD, columns_of_formulas
from sensorium.table._workbooks import check_workbook

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")
QUERY = True
MOST_TITLES = 8  # rows of a title


def excel(path: Path, config: TableConfig) -> Read:
    """Read the sheet that `table.query` names, else the only one with cells; formulas give their saved results.

    Raises:
        TableError: the file is not a workbook, has no header, or no sheet is named and there are several.
        MissingExtraError: python-calamine is not installed.
    """
    try:
        import python_calamine as calamine
    except ImportError as error:
        raise MissingExtraError("python-calamine is not installed", cure="pip install 'sensorium[excel]'") from error
    check_workbook(path)
    try:
        with calamine.CalamineWorkbook.from_path(str(path)) as book:
            sheet, findings = _sheet(book, config.query, path)
            cells = book.get_sheet_by_name(sheet)
            first, rows = (cells.start or (0, 0))[1], cells.to_python()[config.skip_rows :]
    except (calamine.CalamineError, OSError) as error:
        raise TableError(f"cannot read the workbook: {error}", place=str(path)) from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of Rust; it cannot be imported and is not an Exception
            raise TableError("the workbook is damaged", place=str(path), cure="save or download it again") from None
        raise
    if not rows:
        raise TableError("the sheet is empty", place=str(path), rule="a header line, then rows")
    _refuse_title(rows, f"{path}, sheet {sheet!r}", config.skip_rows)
    names, more = _names(rows)
    columns = {place: _plain([row[place] for row in rows[1:]]) for place in names}
    empty = {place for place, values in columns.items() if values and all(value is None for value in values)}
    formulas = columns_of_formulas(path, sheet, {first + place for place in empty})
    origins = {place: Origin(unread=UNREAD, cure=CURE) for place in empty if first + place in formulas}
    found = [(names[place], column_of(values), origins.get(place, Origin())) for place, values in columns.items()]
    return Read(table_of(found), [*findings, *more])


def _sheet(book: Any, query: str | None, path: Path) -> tuple[str, list[Problem]]:
    sheets = list(book.sheet_names)
    if query in sheets:
        return str(query), []
    filled = sheets if query or len(sheets) == 1 else [s for s in sheets if book.get_sheet_by_name(s).to_python()]
    if not query and len(filled) == 1:
        message = (
            f"the sheet {filled[0]!r} is read; the workbook's other {count(len(sheets) - 1, 'sheet')} have no cells"
        )
        return filled[0], [finding(message, "name another one with table.query")] if len(sheets) > 1 else []
    what = f"the workbook has no sheet {query!r}" if query else f"the workbook has {len(sheets)} sheets"
    cure = did_you_mean(query, sheets) if query else f"{set_both('table.query', 'NAME')}, one of {', '.join(sheets)}"
    raise TableError(what, place=str(path), cure=cure)


def _refuse_title(rows: list[list[Any]], place: str, skipped: int) -> None:
    """Raise an error for a title above the header, in one cell or in merged cells."""
    filled = [sum(cell != "" for cell in row) for row in rows[:MOST_TITLES]]
    names = next((place for place, cells in enumerate(filled) if cells > filled[0]), 0)
    if names and 2 * filled[0] < len(rows[0]) and filled[names] > max(2 * filled[0], len(rows[0]) // 2):
        setting = set_both("table.skip_rows", skipped + names)
        title = " ".join(str(cell) for cell in rows[0] if cell != "")
        raise TableError(
            f"the first row is not a header: {shorten(title)!r}",
            place=place,
            rule="the first row names the columns",
            cure=f"{setting} if the names are {shorten(', '.join(map(str, rows[names])))}",
        )


def _names(rows: list[list[Any]]) -> tuple[dict[int, str], list[Problem]]:
    """Return position → name; a first column without a name is a row index, others without a name get a number."""
    names, called, empty = dict[int, str](), list[str](), 0
    for place, name in enumerate(rows[0]):
        if not str(name).strip() and len(rows) > 1 and all(row[place] == "" for row in rows[1:]):
            empty += 1
        elif str(name).strip() or place == 0:
            names[place] = str(name)
        else:
            names[place] = f"column {place + 1}"
            called.append(names[place])
    told = [
        finding(f"{count(len(called), 'column')} without a name, called {', '.join(called)}", "name them in the sheet")
    ]
    gone = finding(f"{count(empty, 'column')} without a name and without a value left out", "delete them in the sheet")
    return names, told * bool(called) + [gone] * bool(empty)


def _plain(values: list[Any]) -> list[Any]:
    """Return plain cells: empty ones are missing, and floats become integers if all are whole.

    Workbooks store all numbers as floats. Moments and booleans beside other values are text.
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
