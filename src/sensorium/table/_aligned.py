"""Detect fixed-width text, as reports and consoles print it, which has no separator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import PurePath

from sensorium.config import TableConfig, set_value
from sensorium.errors import TableError
from sensorium.table._records import Record

GAP = re.compile(r" {2,}|\t+ +| +\t+")
ENOUGH, SAMPLE, AGREE = 3, 100, 0.8  # lines below the header; lines that are looked at; of these, as wide as the header
WHOLE = 0.9  # of rows as wide as the header: a separator was found


def refuse_aligned(header: Record, rows: Sequence[Record], text: str, config: TableConfig, place: str) -> None:
    """Raise an error if runs of blanks divide the lines like the header, and no separator does."""
    width = len(header.cells)
    fitting = sum(len(row.cells) == width for row in rows)
    if config.separator is not None or (width > 1 and fitting >= WHOLE * len(rows)):
        return
    names, *lines = islice((line for line in text.splitlines() if _counts(line, config.comment)), 1 + SAMPLE)
    columns = _columns(names)
    if columns < 2 or len(lines) < ENOUGH or sum(_columns(line) == columns for line in lines) < AGREE * len(lines):
        return
    name = PurePath(place)
    other = name.with_suffix(".csv") if name.suffix != ".csv" else name.with_name(f"{name.stem}-separated.csv")
    csv = f"pandas.read_fwf({place!r}).to_csv({str(other)!r}, index=False)"
    raise TableError(
        f"the lines are {columns} columns aligned by blanks (fixed-width text)",
        place=place,
        rule="one character separates the cells of a line",
        cure=(
            f"write the table as CSV, for example with {csv}; if it is one column, "
            f"{set_value('table.separator', 'none')}"
        ),
    )


def _counts(line: str, comment: str | None) -> bool:
    return bool(line.strip()) and not (comment and line.startswith(comment))


def _columns(line: str) -> int:
    return len(GAP.split(line.strip()))
