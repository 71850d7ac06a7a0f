"""Tar shards in WebDataset format: `key.jpg`, `key.cls`, `key.json` … are the cells of one row."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import SensoriumError, TableError
from sensorium.files import UNREADABLE_TAR
from sensorium.table._cells import cells_of
from sensorium.table._file_cell import part_of_file
from sensorium.table._object_columns import table_of

SUFFIXES = (".tar",)
PATTERN = True
KEY = "key"
WORDS = ("txt", "text", "cls", "cls2", "index", "json")  # members that are read into the table
LONGEST = 10_000_000  # bytes of such a member
PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)
BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")


def tar(path: Path, config: TableConfig) -> pa.Table:
    """Read one row per key and one column per extension; text, classes and the keys of JSON objects become values.

    Other members (images, audio …) are read when they are decoded: the cell is {path, member, offset, size}. The column
    `key` holds the keys.

    Args:
        path: one shard, `shard-{000..003}.tar`, or `shard-*.tar`.
        config: not used.

    Raises:
        TableError: a shard is missing, damaged or compressed, or has unsupported members (links, devices, paths that
            lead elsewhere, the same name twice).
    """
    rows = [row for shard in _shards(path) for row in _rows(shard)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    try:
        return table_of([(name, *cells_of([row.get(name) for row in rows])) for name in names])
    except UnicodeError as error:  # JSON can spell half a character: "\ud800"
        raise TableError(f"a name that is not Unicode: {error}", place=str(path)) from None


def _shards(path: Path) -> list[Path]:
    braces = BRACES.search(path.name)
    if braces:
        first, last = braces.groups()
        numbers = range(int(first), int(last) + 1)
        names = [BRACES.sub(str(number).zfill(len(first)), path.name, count=1) for number in numbers]
        found = [path.with_name(name) for name in names]
    else:
        found = [path] if path.exists() else sorted(path.parent.glob(path.name))
    missing = [shard.name for shard in found if not shard.is_file()]
    if missing or not found:
        raise TableError(f"shards do not exist: {', '.join(missing[:5]) or path.name}", place=str(path))
    return found


def _rows(shard: Path) -> Iterator[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    try:
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                if not member.isdir():
                    _add(rows, member, archive, shard)
            _refuse_cut(archive, shard)
    except SensoriumError:
        raise
    except UNREADABLE_TAR as error:
        cure = "shards are plain tar files: unpack compressed ones, download incomplete ones again"
        raise TableError(f"cannot read the shard: {error}", place=str(shard), cure=cure) from None
    yield from rows.values()


def _add(rows: dict[str, dict[str, Any]], member: tarfile.TarInfo, archive: tarfile.TarFile, shard: Path) -> None:
    """Add one member to its row."""
    folder, _, name = member.name.rpartition("/")
    stem, _, ending = name.partition(".")
    if not stem or not ending:
        return  # a hidden file, or one without an ending: WebDataset passes them over as well
    _refuse_odd(member, shard)
    row = rows.setdefault(f"{folder}/{stem}" if folder else stem, {KEY: f"{folder}/{stem}" if folder else stem})
    for column, value in _cells(ending.lower(), member, archive, shard).items():
        if column in row:
            raise TableError(
                f"row {row[KEY]!r} has two files for column {column!r}; the second is {member.name!r}",
                place=str(shard),
                cure="rename or remove one of them",
            )
        row[column] = value


def _refuse_odd(member: tarfile.TarInfo, shard: Path) -> None:
    reason = ""
    if member.type not in PLAIN:
        reason = "is a link or a device, not a plain file"
    elif member.name.startswith("/") or ".." in member.name.split("/"):
        reason = "has a path outside the archive"
    elif member.offset_data + member.size > shard.stat().st_size:
        reason = "is longer than the rest of the shard, which is incomplete"
    if reason:
        raise TableError(f"member {member.name!r} {reason}", place=str(shard), rule="plain files with relative paths")


def _refuse_cut(archive: tarfile.TarFile, shard: Path) -> None:
    """Raise an error for an incomplete archive; the library does not check the zeros at its end."""
    with shard.open("rb") as stream:
        stream.seek(archive.offset)
        if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise TableError("the shard is incomplete", place=str(shard), cure="download it again")


def _cells(ending: str, member: tarfile.TarInfo, archive: tarfile.TarFile, shard: Path) -> dict[str, Any]:
    if ending not in WORDS:
        return {ending: part_of_file(shard.name, member.name, member.offset_data, member.size)}
    if member.size > LONGEST:
        raise TableError(f"member {member.name!r} has {member.size:,} bytes", place=str(shard), rule=f"{LONGEST:,}")
    stream = archive.extractfile(member)
    text = (stream.read() if stream else b"").decode("utf-8")
    if ending != "json":
        return {ending: text.strip()}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TableError(f"member {member.name!r} is not JSON: {error}", place=str(shard)) from None
    return found if isinstance(found, dict) else {"json": found}
