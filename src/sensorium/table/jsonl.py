"""JSON Lines: one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import TableError, raise_together
from sensorium.table._cells import column_of

SUFFIXES = (".jsonl", ".ndjson")
SHOWN = 5  # faulty lines that a message names


def jsonl(path: Path, config: TableConfig) -> pa.Table:
    """Keys become columns; a key that a line lacks is a missing cell.

    Raises:
        TableError: wrong encoding, lines that are no JSON objects, a column of mixed types.
    """
    try:
        text = path.read_text(encoding="utf-8-sig" if config.encoding == "utf-8" else config.encoding)
    except (UnicodeError, LookupError, OSError) as error:
        raise TableError(f"the file can't be read: {error}", place=str(path), cure="set table.encoding") from None
    rows, faults = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append(_object(line))
            except (ValueError, RecursionError) as error:
                faults.append(TableError(f"line {number}: {error}", place=str(path), rule="one JSON object a line"))
    raise_together(faults[:SHOWN])
    try:
        return pa.table({name: column_of([row.get(name) for row in rows]) for name in _keys(rows)})
    except UnicodeError as error:  # JSON can spell half a character: "\ud800"
        raise TableError(f"text that is no Unicode: {error}", place=str(path)) from None


def _object(line: str) -> dict[str, Any]:
    pairs = json.loads(line, object_pairs_hook=_no_twins)
    if not isinstance(pairs, dict):
        raise ValueError(f"{line[:40]!r} is no object")
    return pairs


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _keys(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))
