"""Explain why a CSV file cannot be parsed: after a failure of Arrow, Python's slower reader finds the line."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from sensorium.config import TableConfig, set_both, set_value
from sensorium.errors import TableError
from sensorium.findings import be, shorten
from sensorium.table._encodings import encoding_error
from sensorium.table._halves import ROW_NAMES, cure_of_halves
from sensorium.table._header import Head
from sensorium.table._records import Record, records

SHOWN = 5  # ragged rows that a message names
NO_QUOTES = set_both("table.quotes", "none")
MOST_NOTES = 10  # lines of a note below the table


def explain(data: bytes, head: Head, config: TableConfig, path: Path, error: Exception | None) -> TableError:
    """Report the rows whose number of cells differs from the header's."""
    width = len(head.names) - head.extra
    try:
        found = [r for r in records(data.decode(), head.separator, config.quotes) if r.first > head.lines]
    except UnicodeDecodeError as fault:
        return encoding_error(path, config.encoding, str(fault), data)
    except csv.Error as fault:
        return TableError(f"cannot parse the text: {fault}", place=str(path))
    ragged = [record for record in found if len(record.cells) != width and _counts(record, config)]
    if not ragged:
        return TableError(f"cannot parse the file: {error}", place=str(path))
    if ragged[-1] is found[-1] and ragged[-1].last > ragged[-1].first and _is_open(data):
        return TableError(
            f"the quote that opens in line {ragged[-1].first} is never closed",
            place=str(path),
            cure=f"close the quote, or {NO_QUOTES} if quotes are ordinary characters",
        )
    if note := _below_table([record for record in found if _counts(record, config)], ragged, width):
        return _about_note(note, found, path)
    shown = ", ".join(map(_say, ragged[:SHOWN]))
    more = f" and {len(ragged) - SHOWN} more" if len(ragged) > SHOWN else ""
    rows = "1 row has" if len(ragged) == 1 else f"{len(ragged):,} rows have"
    return TableError(
        f"{rows} a different number of cells than the header ({width}): {shown}{more}",
        place=str(path),
        rule="every row has as many cells as the header",
        cure=_cure(ragged, width, head.separator, named=len(ragged) == len(found)),
    )


def _below_table(found: Sequence[Record], ragged: Sequence[Record], width: int) -> Sequence[Record]:
    """Return lines with a single cell at the end, below complete rows: a note, such as the source of the data."""
    note = found[-len(ragged) :]
    is_note = len(note) < len(found) and len(note) <= MOST_NOTES and note == ragged
    return note if is_note and all(len(row.cells) == 1 < width for row in note) else []


def _about_note(note: Sequence[Record], found: Sequence[Record], path: Path) -> TableError:
    lines = f"line {note[0].first}" if note[0].first == note[-1].last else f"lines {note[0].first} to {note[-1].last}"
    word = re.match(r"\w+", note[0].cells[0])
    lone = word and len(note) == 1 and not any(row.cells[0].startswith(word[0]) for row in found if row is not note[0])
    setting = f", or {set_value('table.comment', word[0])} skips lines that begin with it" if word and lone else ""
    return TableError(
        f"{lines} at the end of the file {be(len(note))} not a row: {shorten(note[0].cells[0])!r}",
        place=str(path),
        rule="every row has as many cells as the header",
        cure=f"remove {lines}{setting}",
    )


def _counts(record: Record, config: TableConfig) -> bool:
    text = "".join(record.cells).strip(" \t\x1a")
    return bool(text) and not (config.comment and text.startswith(config.comment))


def _is_open(data: bytes) -> bool:
    return not data.rstrip().endswith(b'"') or data.count(b'"') % 2 == 1


def _say(record: Record) -> str:
    if record.first == record.last:
        return f"line {record.last} has {len(record.cells)}"
    return f"lines {record.first} to {record.last} (one row, because of their quotes) have {len(record.cells)}"


def _cure(ragged: Sequence[Record], width: int, separator: str, *, named: bool) -> str:
    if cure := cure_of_halves(ragged, width, separator):
        return cure
    if named and all(len(record.cells) == width + 1 for record in ragged):
        return ROW_NAMES
    quotes = f", or {NO_QUOTES} if quotes are ordinary characters"
    return (
        f"quote cells that hold the separator or a line break, or {set_both('table.separator', 'none')} for one column"
        f"{quotes if any(record.first < record.last for record in ragged) else ''}"
    )
