"""Find the files in a folder that are parts of one table."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from sensorium.errors import TableError
from sensorium.table._folders import SPLITS
from sensorium.table._numbers import natural

PARQUET = (".parquet", ".pq")
TABLES = (*PARQUET, ".csv", ".tsv", ".jsonl", ".ndjson", ".arrow", ".feather", ".ipc")
MARKERS = ("_SUCCESS", "_metadata", "_common_metadata")  # beside the parts of one table
DOCUMENTS = ("", ".md", ".txt", ".json", ".yaml", ".yml")  # what is written beside the parts of a table
LAKES = {"_delta_log": "Delta Lake", ".hoodie": "Hudi"}  # folders of formats whose files also hold rows that are gone
KEY = re.compile(r"([^=]+)=(.*)", re.DOTALL)


def find_parts(folder: Path) -> list[Path]:
    """Return the files that are parts of one table; none if the folder is of another kind, such as class folders.

    Names that begin with a dot or an underscore are ignored. Parts are in folders called `key=value`, or are Parquet
    files in the same folder; folders with other names count only if they cannot be class folders.

    Raises:
        TableError: the files have a format that cannot be read directly.
    """
    _refuse_lakes(folder)
    tops = [top for top in folder.iterdir() if top.is_dir() and _is_visible(top.name)]
    if tops and all(KEY.fullmatch(top.name) for top in tops):
        return _of_one_kind([file for file in _below(folder) if file.suffix.lower() in TABLES], folder)
    beside = [file for file in folder.iterdir() if file.is_file() and _is_parquet(file) and _is_visible(file.name)]
    marked = any((folder / name).exists() for name in MARKERS)
    if tops and not marked and _may_hold_classes(tops):
        return []
    below = [file for file in _below(folder) if file.suffix.lower() not in DOCUMENTS] if tops else []
    return below if below and all(map(_is_parquet, below)) else in_order(beside)


def _may_hold_classes(tops: Sequence[Path]) -> bool:
    """Return whether there are two class folders, or one split with folders in it."""
    if len(tops) > 1:
        return True
    return tops[0].name.lower() in SPLITS and any(inner.is_dir() for inner in tops[0].iterdir())


def _refuse_lakes(folder: Path) -> None:
    lake = next((lake for name, lake in LAKES.items() if (folder / name).is_dir()), "")
    lake = "Iceberg" if any((folder / "metadata").glob("*.metadata.json")) else lake
    if lake:
        raise TableError(
            f"this is a table of {lake}, whose files also contain rows that are deleted or replaced",
            place=str(folder),
            cure=f"read it with a library for {lake}, and pass its Arrow or pandas table",
        )


def _of_one_kind(files: list[Path], folder: Path) -> list[Path]:
    kinds = sorted({file.suffix.lower() for file in files})
    if len(kinds) > 1:
        raise TableError(f"the parts have several formats: {', '.join(kinds)}", place=str(folder), rule="one format")
    return files


def _is_visible(name: str) -> bool:
    return not name.startswith((".", "_"))


def _is_parquet(file: Path) -> bool:
    return file.suffix.lower() in PARQUET


def in_order(files: list[Path]) -> list[Path]:
    return sorted(files, key=lambda file: natural(str(file)))


def _below(folder: Path) -> list[Path]:
    """Return all visible files; links to folders are not followed, as they may form a cycle."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if _is_visible(name)]
        found += [Path(place) / name for name in names if _is_visible(name)]
    return in_order(found)
