"""Read a folder of part files: `year=2026/part-0.parquet`, or parts in the same folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote

from sensorium.config import TableConfig
from sensorium.table._find_parts import KEY
from sensorium.table._folders import SPLITS
from sensorium.table._join_parts import Part, join_parts
from sensorium.table._read import Read

NOTHING = "__HIVE_DEFAULT_PARTITION__"
SPLIT = re.compile(rf"({'|'.join(sorted(SPLITS, key=len, reverse=True))})(?![a-z])", re.IGNORECASE)

Reader = Callable[[Path, TableConfig], Read]


def read_parts(folder: Path, files: Sequence[Path], config: TableConfig, read: Reader) -> Read:
    """Return the rows of all parts, with the keys of their folders as columns of text.

    If the names of all files in one folder begin with a split (`train-0.parquet`, `test.parquet`), the column `split`
    holds it.

    Args:
        folder: the table.
        files: its parts.
        config: settings for each part.
        read: function that reads one part.
    """
    splits = [SPLIT.match(file.stem) for file in files]
    found = [match[1].lower() for match in splits if match]
    split = len(found) == len(files) and len(set(found)) > 1
    parts = []
    for place, file in enumerate(files):
        keys = _keys(file.relative_to(folder)) | ({"split": found[place]} if split else {})
        parts.append(Part(file, keys, read(file, config)))
    return join_parts(parts)


def _keys(place: Path) -> dict[str, str | None]:
    """Return the keys: `year=2026/month=01/part-0.parquet` → {"year": "2026", "month": "01"}."""
    pairs = [match.groups() for match in map(KEY.fullmatch, place.parts[:-1]) if match]
    return {unquote(key): None if value == NOTHING else unquote(value) for key, value in pairs}
