"""Read a folder of part files: `year=2026/part-0.parquet`, or parts in the same folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.findings import Problem, count
from sensorium.table._cells import cells_of
from sensorium.table._folders import SPLITS
from sensorium.table._numbers import natural
from sensorium.table._plain import plain_column
from sensorium.table._read import Read, finding

PARQUET = (".parquet", ".pq")
TABLES = (*PARQUET, ".csv", ".tsv", ".jsonl", ".ndjson", ".arrow", ".feather", ".ipc")
MARKERS = ("_SUCCESS", "_metadata", "_common_metadata")  # beside the parts of one table
DOCUMENTS = ("", ".md", ".txt", ".json", ".yaml", ".yml")  # what is written beside the parts of a table
LAKES = {"_delta_log": "Delta Lake", ".hoodie": "Hudi"}  # folders of formats whose files also hold rows that are gone
KEY = re.compile(r"([^=]+)=(.*)", re.DOTALL)
NOTHING = "__HIVE_DEFAULT_PARTITION__"
SPLIT = re.compile(rf"({'|'.join(sorted(SPLITS, key=len, reverse=True))})(?![a-z])", re.IGNORECASE)

Reader = Callable[[Path, TableConfig], Read]


@dataclass(frozen=True)
class _Part:
    """Part file, with the keys in its path."""

    path: Path
    keys: dict[str, str | None]
    read: Read


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
    return below if below and all(map(_is_parquet, below)) else _in_order(beside)


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
        parts.append(_Part(file, keys, read(file, config)))
    return _join(parts)


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


def _in_order(files: list[Path]) -> list[Path]:
    return sorted(files, key=lambda file: natural(str(file)))


def _below(folder: Path) -> list[Path]:
    """Return all visible files; links to folders are not followed, as they may form a cycle."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if _is_visible(name)]
        found += [Path(place) / name for name in names if _is_visible(name)]
    return _in_order(found)


def _keys(place: Path) -> dict[str, str | None]:
    """Return the keys: `year=2026/month=01/part-0.parquet` → {"year": "2026", "month": "01"}."""
    pairs = [match.groups() for match in map(KEY.fullmatch, place.parts[:-1]) if match]
    return {unquote(key): None if value == NOTHING else unquote(value) for key, value in pairs}


def _join(parts: list[_Part]) -> Read:
    """Concatenate the parts; each key becomes a column, unless the files have a column of this name."""
    problems = [replace(p, reason=f"{part.path.name}: {p.reason}") for part in parts for p in part.read.problems]
    fields: dict[str, pa.Field] = {}
    for part in parts:
        for field in part.read.arrow.schema:
            fields.setdefault(field.name, field)
    columns, schema = [], []
    for name, field in fields.items():
        cells, told = _stack(name, parts)
        columns.append(cells)
        schema.append(field.with_type(cells.type))
        problems += told
    for key in dict.fromkeys(key for part in parts for key in part.keys if key not in fields):
        chunks = [pa.repeat(pa.scalar(part.keys.get(key), pa.string()), part.read.arrow.num_rows) for part in parts]
        columns.append(pa.chunked_array(chunks, pa.string()))
        schema.append(pa.field(key, pa.string()))
    metadata = parts[0].read.arrow.schema.metadata
    return Read(pa.Table.from_arrays(columns, schema=pa.schema(schema, metadata=metadata)), problems)


def _stack(name: str, parts: list[_Part]) -> tuple[pa.ChunkedArray, list[Problem]]:
    """Concatenate one column of all parts."""
    tables, problems = [part.read.arrow for part in parts], list[Problem]()
    there = [table.column(name) for table in tables if name in table.column_names]
    if len(there) < len(parts):
        lacking = len(parts) - len(there)
        problems.append(finding(f"{count(lacking, 'file')} of {len(parts):,} lack it: missing values there", "", name))
    kinds = list(dict.fromkeys(cells.type for cells in there if not pa.types.is_null(cells.type)))
    kind = kinds[0] if kinds else pa.string()
    if len(kinds) > 1:
        there = [plain_column(cells) for cells in there]
        kind = _common(there)
        if kind is None:
            text = [cells_of([cell for cells in there for cell in cells.to_pylist()])[0]]
            found = f"the files have the types {' and '.join(map(str, kinds[:3]))}: read as {text[0].type}"
            return pa.chunked_array(text), [*problems, finding(found, "write it as one type", name)]
    made = iter(there)
    rows = [(next(made) if name in table.column_names else pa.nulls(table.num_rows, kind), table) for table in tables]
    chunks = [chunk for cells, _ in rows for chunk in (cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells])]
    return pa.chunked_array([chunk.cast(kind) for chunk in chunks], kind), problems


def _common(columns: list[pa.ChunkedArray]) -> pa.DataType | None:
    """Return the common type of the columns, or a type that can hold all their numbers."""
    kinds = {cells.type for cells in columns if cells.null_count < len(cells)} or {pa.string()}
    if len(kinds) > 1 and all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds):
        return pa.float64()
    return kinds.pop() if len(kinds) == 1 else None
