"""Why a CSV file can't be parsed: Arrow says that it can't, Python's slow reader says where."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.table._header import Head
from sensorium.table._records import Record, records
from sensorium.table._text import encoding_error

SHOWN = 5  # ragged rows that a message names


def explain(data: bytes, head: Head, config: TableConfig, path: Path, error: Exception | None) -> TableError:
    """The rows whose number of cells is not the header's."""
    width = len(head.names) - head.extra
    try:
        found = [r for r in records(data.decode(), head.separator, config.quotes) if r.first > head.lines]
    except UnicodeDecodeError as fault:
        return encoding_error(path, config.encoding, str(fault), data)
    except csv.Error as fault:
        return TableError(f"the text can't be parsed: {fault}", place=str(path))
    ragged = [record for record in found if len(record.cells) != width and _counts(record, config)]
    if not ragged:
        return TableError(f"the file can't be parsed: {error}", place=str(path))
    if ragged[-1] is found[-1] and ragged[-1].last > ragged[-1].first and _is_open(data):
        return TableError(
            f"the quote that opens in line {ragged[-1].first} is never closed",
            place=str(path),
            cure="close the quote, or set table.quotes=none if quotes are ordinary characters",
        )
    shown = ", ".join(map(_say, ragged[:SHOWN]))
    more = f" and {len(ragged) - SHOWN} more" if len(ragged) > SHOWN else ""
    rows = "1 row has" if len(ragged) == 1 else f"{len(ragged):,} rows have"
    return TableError(
        f"{rows} another number of cells than the header's {width}: {shown}{more}",
        place=str(path),
        rule="every row has as many cells as the header",
        cure=_cure(ragged, width, named=len(ragged) == len(found)),
    )


def _counts(record: Record, config: TableConfig) -> bool:
    text = "".join(record.cells).strip(" \t\x1a")
    return bool(text) and not (config.comment and text.startswith(config.comment))


def _is_open(data: bytes) -> bool:
    return not data.rstrip().endswith(b'"') or data.count(b'"') % 2 == 1


def _say(record: Record) -> str:
    if record.first == record.last:
        return f"line {record.last} has {len(record.cells)}"
    return f"lines {record.first} to {record.last}, one row by their quotes, have {len(record.cells)}"


def _cure(ragged: Sequence[Record], width: int, *, named: bool) -> str:
    if named and all(len(record.cells) == width + 1 for record in ragged):
        return "name every column: the first cells may be row names, which R writes without a name"
    quotes = ", or set table.quotes=none if quotes are ordinary characters"
    return (
        "quote cells that hold the separator or a line break, or set table.separator (none: one column)"
        f"{quotes if any(record.first < record.last for record in ragged) else ''}"
    )
