"""JSON Lines: one JSON object per line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sensorium.config import TableConfig
from sensorium.errors import TableError, raise_together
from sensorium.table._cells import cells_of
from sensorium.table._encodings import encoding_error
from sensorium.table._object_columns import table_of
from sensorium.table._read import Read
from sensorium.table._text import read_text

SUFFIXES = (".jsonl", ".ndjson")
DIGITS = 4000  # of a number; Python refuses longer ones
SHOWN = 5  # faulty lines that a message names


def jsonl(path: Path, config: TableConfig) -> Read:
    """Read keys as columns; a key that a line lacks is a missing cell.

    Raises:
        TableError: the encoding is wrong, lines are not JSON objects, or a column has mixed types.
    """
    found = read_text(path, config.encoding, empty=True)
    try:
        text = found.data.decode()
    except UnicodeDecodeError as error:
        raise encoding_error(path, config.encoding, str(error), found.data) from None
    rows, faults = [], []
    for number, line in enumerate(text.split("\n" if "\n" in text else "\r"), 1):
        if line.strip():
            try:
                rows.append(_object(line))
            except (ValueError, RecursionError) as error:
                what = "nested too deeply" if isinstance(error, RecursionError) else error
                faults.append(TableError(f"line {number}: {what}", place=str(path), rule="one JSON object per line"))
    _raise(faults)
    try:
        columns = [(name, *cells_of([row.get(name) for row in rows])) for name in _keys(rows)]
        return Read(table_of(columns, rows=len(rows)), found.problems)
    except UnicodeError as error:  # JSON can spell half a character: "\ud800"
        raise TableError(f"a name is not valid Unicode: {error}", place=str(path)) from None


def _raise(faults: list[TableError]) -> None:
    """Raise all errors as one, with the lines of the first ones."""
    if len(faults) > SHOWN:
        rest = f"{len(faults) - SHOWN:,} more lines are not JSON objects"
        faults = [*faults[:SHOWN], TableError(rest, place=faults[0].place, rule=faults[0].rule)]
    raise_together(faults)


def _object(line: str) -> dict[str, Any]:
    pairs = json.loads(line, object_pairs_hook=_no_twins, parse_int=_whole)
    if not isinstance(pairs, dict):
        raise ValueError(f"{line[:40]!r} is not an object")
    return pairs


def _whole(digits: str) -> int | str:
    """Return a number; text if it has more digits than Python converts."""
    return int(digits) if len(digits) <= DIGITS else digits


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def _keys(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))
