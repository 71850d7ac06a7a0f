"""Metadata of a source about its columns: indexes, columns without a name, unreadable columns."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from sensorium.table._column import Origin
from sensorium.table._object_columns import ORIGIN

OF_PANDAS = "the index of a pandas table"
NO_NAME = "a column without a name in the header, which is probably a row index"
INDEX_LEVEL = re.compile(r"__index_level_\d+__")  # an index without a name, as pandas writes it
OF_TABLE = ("order", "parts")  # not read from the metadata of a field: the Arrow type and the settings tell them
UNNAMED = re.compile(r"Unnamed: \d+(_level_\d+)?(\.\d+)*|\.\.\.\d+")  # an empty header, as pandas and R's readr read it


def name_columns(table: pa.Table) -> tuple[pa.Table, dict[str, Origin]]:
    """Return the table with a name for every column, and the source's metadata about them.

    A column without a name becomes `column 1`, by its position.
    """
    names = table.column_names
    empty = [place for place, name in enumerate(names) if not name.strip()]
    taken = set(names)
    for place in empty:
        names[place] = _free(f"column {place + 1}", taken)
        taken.add(names[place])
    nameless = {*empty}
    index = _index_of_pandas(table.schema.metadata)
    origins = {}
    for place, (name, field) in enumerate(zip(names, table.schema, strict=True)):
        why = NO_NAME if place in nameless or UNNAMED.fullmatch(name) else ""
        why = OF_PANDAS if name in index or INDEX_LEVEL.fullmatch(name) else why
        origin = replace(_said(field), index=why)
        if origin != Origin():
            origins[name] = origin
    return (table.rename_columns(names) if empty else table), origins


def _said(field: pa.Field) -> Origin:
    """Return the metadata of a field, which may be invalid in files of other programs."""
    try:
        said = json.loads((field.metadata or {}).get(ORIGIN, b"{}"))
        words: dict[str, Any] = {key: str(value) for key, value in said.items() if key not in OF_TABLE}
        return Origin(**words)
    except (ValueError, RecursionError, TypeError, AttributeError):
        return Origin()


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _index_of_pandas(metadata: Mapping[bytes, bytes] | None) -> frozenset[str]:
    """Return the columns that are an index by pandas' metadata; entries for row numbers are not columns."""
    try:
        found = json.loads((metadata or {}).get(b"pandas", b"{}"))["index_columns"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return frozenset()
    return frozenset(name for name in found if isinstance(name, str)) if isinstance(found, list) else frozenset()
