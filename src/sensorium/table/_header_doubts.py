"""Check that the first line of a CSV file is the header: it may be a title, a comment, or the first row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby, pairwise

from sensorium.config import TableConfig, set_both
from sensorium.errors import TableError
from sensorium.findings import Problem, shorten
from sensorium.table._read import finding
from sensorium.table._records import Record
from sensorium.table._separator import SEPARATORS, agreed_width, sample_rows, set_separator

NUMBER = re.compile(r"\s*[+-]?(\d+(?:[.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*%?\s*")
GAPS = frozenset({"", "-", ".", "..", "?", "na", "n/a", "nan", "null", "none", "n.b.", "nd", "missing", "unknown"})
MOST = 0.9  # of a column's cells that are numbers: the others are gaps
ENOUGH = 3  # rows below the line in doubt
MOST_AGREE = 0.8  # of the first rows that have one width below a title
MOST_TITLES = 8  # lines of a title
MOST_LINES = 30  # of a header whose names have line breaks

Records = Sequence[Record]


def refuse_title(header: Record, rows: Records, text: str, config: TableConfig, place: str, *, line: int) -> None:
    """Raise an error if the header's line is a title or a comment."""
    found, shown, start, place = "", shorten(" ".join(header.cells)), line, f"{place}, line {line}"
    width, comment = len(header.cells), header.cells[0].lstrip().startswith(("#", "%", "//"))
    other, lines = _width_below(header, rows, text, config)
    if header.last > 1 and _swallows(header, text):
        raise TableError(
            f"a quote in the header opens in this line and closes {header.last - 1} lines below",
            place=place,
            cure=(
                f"check for a stray quote in the header, or {set_both('table.quotes', 'none')} if quotes are ordinary "
                "characters"
            ),
        )
    if other:
        cells = "1 cell" if width == 1 else f"{width} cells"
        found = f"the line is not a header: it has {cells} ({shown!r}), but the lines below it have {other}"
    elif rows and width > 1 and (below := _below_title(header, rows) or (comment and _is_header(rows) and rows[0])):
        found, lines = f"the line is not a header: {shown!r}", below.first - 1
    if found:
        above = f"{set_both('table.comment', '#')} or " if comment and header.cells[0].lstrip().startswith("#") else ""
        cure = f"{above}{set_both('table.skip_rows', start - 1 + lines)} if the header is in line {start + lines}"
        raise TableError(found, place=place, rule="the first line names the columns", cure=cure)


def header_doubts(names: Sequence[str], rows: Records, above: int) -> list[Problem]:
    """Report a header that looks like a row, or a second header below it."""
    cells = [row.cells for row in rows if len(row.cells) == len(names)]
    if len(cells) < ENOUGH or len(names) < 2:
        return []
    if _is_row(names, cells):
        return [
            finding(
                f"line {above + 1} is read as the header, but looks like a row: {shorten(', '.join(names))}",
                "if the file has no header line, add one",
            )
        ]
    if len(numbers := _numbers(cells[1:])) > 1 and _is_header(rows):
        shown = shorten(", ".join(cells[0][place] for place in numbers))
        reason = f"the first row looks like a second header line, such as units: {shown}"
        return [finding(reason, "remove the line: otherwise the columns of numbers become text")]
    return []


def _width_below(header: Record, rows: Records, text: str, config: TableConfig) -> tuple[int, int]:
    """Return the number of cells of all lines below if it differs from that of the header, and the lines above.

    Otherwise (0, 1).
    """
    width = len(header.cells)
    if width > 1 and any(len(row.cells) == width for row in rows):
        return 0, 1
    if width > 1 and abs(agreed_width(rows) - width) < 2 and not _is_header(rows):
        return 0, 1  # row names without a name, or a cell that is lacking: said as such
    own = set_separator(config.separator)
    best = (0, 0, 1)  # rows, cells, lines above; decimal commas agree too, but not with the header, which is a row more
    for separator in [own] if own else SEPARATORS:
        rows = sample_rows(text, separator, config)[1:]
        below = _agreeing(rows)
        found = agreed_width(below) if len(below) > MOST_AGREE * len(rows) else 0
        if found > 1 and found != width and (len(below) >= ENOUGH or (len(below) > 1 and found > 2)):
            best = max(best, (len(below), found, below[0].first - 1))
    return best[1:]


def _agreeing(rows: Records) -> Records:
    """Return the longest run of rows of one width: a title may have several lines, and a note may follow the table."""
    runs = [list(run) for _, run in groupby(rows, key=lambda row: len(row.cells))]
    return max(runs, key=len, default=[])


def _swallows(header: Record, text: str) -> bool:
    """Return whether a quote in the header swallowed rows: names have line breaks, rows have separators."""
    inside = text.splitlines()[1 : header.last - 1]
    cells = len(header.cells) - 1
    rows = [any(line.count(separator) == cells for separator in SEPARATORS) for line in inside]
    return header.last > MOST_LINES or (len(inside) > 1 and cells > 0 and all(rows))


def _below_title(header: Record, rows: Records) -> Record | None:
    """Return the first row below a title that was padded with separators.

    The title has fewer than half of the names, as has each line of it, and the row has more.
    """
    filled, most = _filled(header), len(header.cells) // 2
    if 2 * filled >= len(header.cells):
        return None
    below = next((row for row in rows[:MOST_TITLES] if _filled(row) > filled), rows[0])
    return below if _filled(below) > max(2 * filled, most) else None


def _filled(row: Record) -> int:
    return sum(bool(cell.strip()) for cell in row.cells)


def _numbers(cells: Sequence[Sequence[str]]) -> list[int]:
    """Return the columns of numbers."""
    found = []
    for place in range(len(cells[0]) if cells else 0):
        values = [row[place] for row in cells if row[place].strip().lower() not in GAPS]
        if values and sum(bool(NUMBER.fullmatch(value)) for value in values) >= MOST * len(values):
            found.append(place)
    return found


def _is_header(rows: Records) -> bool:
    """Return whether the first row has words in every column that holds numbers below it."""
    cells = [row.cells for row in rows if len(row.cells) == len(rows[0].cells)]
    numbers = _numbers(cells[1:]) if len(cells) > ENOUGH else []
    return bool(numbers) and not any(
        NUMBER.fullmatch(cells[0][place]) or cells[0][place].strip().lower() in GAPS for place in numbers
    )


def _is_row(names: Sequence[str], cells: Sequence[Sequence[str]]) -> bool:
    """Return whether the names are values: numbers that are not steps, or words that recur in their columns."""
    numbers = _numbers(cells)
    spelt = [names[place] for place in numbers]
    if not all(NUMBER.fullmatch(name) for name in spelt):
        return False
    columns = list(zip(*cells, strict=True))
    repeated = any(
        name.strip() and columns[place].count(name) > 1 for place, name in enumerate(names) if place not in numbers
    )
    return repeated or (len(spelt) > 1 and any("." in name or "," in name for name in spelt) and not _steps(spelt))


def _steps(names: Sequence[str]) -> bool:
    """Return whether the numbers have equal distances and may name steps: 0, 1, 2; 2019, 2020; 0.5, 1.0, 1.5."""
    values = [float(name.replace(",", ".").rstrip("% ")) for name in names if name.count(",") + name.count(".") < 2]
    steps = {round(after - before, 6) for before, after in pairwise(values)}
    return len(steps) == 1 and 0.0 not in steps
