"""Find the separator of a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import islice

from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.table._records import Record, records

SEPARATORS = (",", ";", "\t", "|")
NAMED = {"\\t": "\t", "tab": "\t", "none": "\x1f", "comma": ",", "semicolon": ";", "pipe": "|"}
NAMES = {"\t": "tab"}  # separators that a message cannot show
ALONE = "\x1f"  # the separator of a single column: no text holds it
SAMPLE = 100  # rows that are compared with the header
AGREE = 0.9  # of the rows as wide as the header: beyond it the wider header counts


def set_separator(separator: str | None) -> str | None:
    """Return the character that a setting means.

    Raises:
        TableError: the setting is not one character, or cannot be a separator.
    """
    if separator is None:
        return None
    found = NAMED.get(separator.lower(), separator)
    if len(found) != 1 or not found.isascii() or found in '"\r\n\0':
        rule = "one ASCII character, but no quote or line break; or the word tab; or none, for a file of one column"
        raise TableError(f"{separator!r} cannot be a separator", place="table.separator", rule=rule)
    return found


def find_separator(text: str, config: TableConfig, *, tabs: bool = False) -> str:
    """Return the separator that splits the rows like the header, ignoring quoted ones.

    Args:
        text: the text, from the header on.
        config: the settings.
        tabs: whether to try tabs first.
    """
    best, choice = (0.0, 0, 0.0), ""
    for separator in ("\t", ",", ";", "|") if tabs else SEPARATORS:
        header, *rows = sample_rows(text, separator, config)
        width = len(header.cells)
        share = sum(len(row.cells) == width for row in rows) / len(rows) if rows else 1.0
        score = (min(1.0, share / AGREE), width, share)
        if width > 1 and score > best:
            best, choice = score, separator
    if choice:
        return choice
    return ALONE if any(len(row.cells) > 1 for sep in SEPARATORS for row in sample_rows(text, sep, config)) else ","


def sample_rows(text: str, separator: str, config: TableConfig) -> list[Record]:
    """Return the header and the first rows, without comments; at least one record."""
    found = list[Record]()
    try:
        for record in islice(records(text, separator, config.quotes, lenient=True), 1 + SAMPLE):
            if not (found and config.comment and record.cells[0].startswith(config.comment)):
                found.append(record)
    except csv.Error:
        pass
    return found or [Record(1, 1, [text])]


def agreed_width(rows: Sequence[Record]) -> int:
    """Return the number of cells of every row; 0 if rows differ or there are none."""
    widths = {len(row.cells) for row in rows}
    return widths.pop() if len(widths) == 1 else 0
