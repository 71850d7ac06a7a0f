"""JSON Lines: one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import TableError, raise_together

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
        return pa.table({name: _column([row.get(name) for row in rows], name, path) for name in _keys(rows)})
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


def _column(values: list[Any], name: str, path: Path) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        pass
    # Numbers beside text ("50+" among ages) are what people write; every cell then keeps its own spelling.
    if any(isinstance(value, dict | list) for value in values):
        raise TableError(f"column {name!r} mixes lists or objects with other values", place=str(path))
    return pa.array([v if v is None or isinstance(v, str) else json.dumps(v) for v in values], pa.string())
