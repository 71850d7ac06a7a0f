"""Detect rows of a CSV file inside a cell: a stray quote turns all text up to the next quote into one cell.

Texts with line breaks are common. Such rows are recognized by their number of separators, and because their cells
resemble other cells of their columns.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.findings import Problem, count
from sensorium.table._header_doubts import GAPS, NUMBER
from sensorium.table._lines import CR, LF, count_in_cells, line_of
from sensorium.table._profiles import Cells, Suspect
from sensorium.table._read import finding
from sensorium.table._records import LINE

FITS = 0.7  # of the cells of swallowed rows that look like their columns'
RARE = 3  # cells with line breaks in a column that otherwise has none
LOOKED_AT = 2000  # cells that may be swallowed rows


def swallowed_rows(cells: Cells) -> list[Problem]:
    """Report each column that contains rows of the table."""
    if cells.arrow.num_columns < 2:
        return _unclosed(cells)
    problems = list[Problem]()
    for place in cells.breaks:
        breaks = _breaks_of_cells(cells, place)
        rare = int(np.count_nonzero(breaks)) <= max(RARE, len(cells.arrow) // 1000)
        found = [suspect for suspect in _suspects(cells, place, breaks) if _is_lost(cells, suspect, rare=rare)]
        if found:
            problems.append(_told(cells, place, found))
    return problems


def _breaks_of_cells(cells: Cells, place: int) -> npt.NDArray[np.int64]:
    column = cells.arrow.column(place)
    feeds = count_in_cells(column, LF)
    if cells.data.find(b"\r") < 0:
        return feeds
    pairs = np.asarray(pc.fill_null(pc.count_substring(column, "\r\n"), 0))
    return feeds + count_in_cells(column, CR) - pairs


def _suspects(cells: Cells, place: int, breaks: npt.NDArray[np.int64]) -> Iterator[Suspect]:
    """Return cells with as many separators per line break as a row has."""
    column, width, rows = cells.arrow.column(place), cells.arrow.num_columns, np.flatnonzero(breaks)
    if 2 * len(rows) < len(breaks):  # else a copy takes longer than to look at all
        column = column.take(pa.array(rows))
    else:
        rows = np.arange(len(breaks))
    fits = count_in_cells(column, ord(cells.head.separator)) == breaks[rows] * (width - 1)
    fits |= rows == len(cells.arrow) - 1  # a quote that is never closed takes all to the end
    for index in np.flatnonzero(fits & (breaks[rows] > 0))[-LOOKED_AT:].tolist():
        text = column[index].as_py()
        pieces = _pieces(text, cells.head.separator, place, width)
        if pieces:
            yield Suspect(text, *pieces)


def _pieces(text: str, separator: str, place: int, width: int) -> tuple[dict[int, list[str]], int] | None:
    """Return the cells of lost rows by column, and the number of rows; None if the lines are not rows."""
    lines = [found.group(1) for found in LINE.finditer(text.rstrip("\r\n"))]
    lines = lines[:-1] if lines and not lines[-1] else lines
    rows = [line.split(separator) for line in lines]
    if len(rows) < 2 or len(rows[0]) != width - place or any(len(row) != width for row in rows[1:-1]):
        return None
    if len(rows[-1]) not in (place + 1, width):
        return None
    found: dict[int, list[str]] = {}
    for number, row in enumerate(rows):
        for column, cell in enumerate(row, place if number == 0 else 0):
            if column != place and cell:
                found.setdefault(column, []).append(cell)
    return found, len(rows) - 1


def _is_lost(cells: Cells, suspect: Suspect, *, rare: bool) -> bool:
    known = {column: words for column, words in suspect.pieces.items() if column in cells.profiles}
    looks = [_fits(cell, cells.profiles[column]) for column, found in known.items() for cell in found]
    if not looks:
        return suspect.lines > 1 or _is_odd(cells, suspect)
    if sum(looks) < FITS * len(looks):
        return False
    return sum(looks) > 1 or rare or _is_odd(cells, suspect)


def _fits(cell: str, words: frozenset[str] | None) -> bool:
    if words is None:
        return bool(NUMBER.fullmatch(cell)) or cell.strip().lower() in GAPS
    return cell in words


def _is_odd(cells: Cells, suspect: Suspect) -> bool:
    """Return whether the cell is not enclosed in quotes in the file."""
    quoted = suspect.text.replace('"', '""')
    return cells.data.find(f'"{quoted}"'.encode()) < 0


def _told(cells: Cells, place: int, found: list[Suspect]) -> Problem:
    name, first = cells.head.names[place], LINE.match(found[0].text)
    start = cells.data.find(b'"' + (first.group(0) if first else "").encode())
    rows = sum(suspect.lines for suspect in found)
    where = f" (first: line {line_of(cells.data, start)})" if start >= 0 else ""
    lost, into = count(rows, "row"), count(len(found), "cell")
    reason = f"{lost} of the file probably ended up inside {into} with line breaks{where}"
    cure = "check for a stray quote in that line, or set table.quotes=none if quotes are ordinary characters"
    return finding(reason, cure, name)


def _unclosed(cells: Cells) -> list[Problem]:
    """Report a quote that is never closed, in a file of one column."""
    if not cells.breaks or cells.data.rstrip().endswith(b'"') or cells.data.count(b'"') % 2 == 0:
        return []
    lines = cells.arrow.column(0)[-1].as_py() or ""
    reason = f"a quote is never closed: the last cell has {count(len(lines.splitlines()), 'line')}"
    return [finding(reason, "close the quote, or set table.quotes=none", cells.head.names[0])]
