"""Hashes that show whether cells, and the arrays prepared from them, are the same as before."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.findings import Unreadable
from sensorium.modalities import Encoded, Modality, Ragged
from sensorium.prepare._hash_threads import hash_threads
from sensorium.table import Column, FileCell, Files, RemoteFiles, is_address

By: TypeAlias = Literal["stat", "content"]

LOOKED_AT = 20  # cells of a column that are looked for on disk
BLOCK = 2**22  # bytes that one thread hashes at a time


class Hash(Protocol):
    """Protocol of hashlib's objects."""

    def update(self, content: bytes, /) -> None: ...


def hash_arrays(arrays: Iterable[npt.NDArray[Any]]) -> str:
    """Return a hash of the types, shapes and bytes of arrays; large ones are hashed in threads."""
    found = hashlib.sha256()
    for array in arrays:
        content = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        found.update(f"{array.dtype.str} {array.shape}".encode())
        for part in _hash_blocks([content[start : start + BLOCK] for start in range(0, len(content), BLOCK)]):
            found.update(part)
    return found.hexdigest()


def _hash_blocks(blocks: Sequence[memoryview]) -> list[bytes]:
    if len(blocks) < 2:  # threads take longer to start than a block to hash
        return [hashlib.sha256(block).digest() for block in blocks]
    with ThreadPoolExecutor(hash_threads()) as pool:
        return list(pool.map(lambda block: hashlib.sha256(block).digest(), blocks))


def hash_encoded(encoded: Encoded) -> str:
    """Return the hash of all values of a prepared column."""
    values = encoded.values
    return hash_arrays(
        [encoded.present, *([values.values, values.offsets] if isinstance(values, Ragged) else [values])]
    )


def names_files(column: Column) -> bool:
    """Return whether some of the cells are paths of files, as those of series may be."""
    return column.is_string and any(_is_file(cell, column.files) for cell in dict.fromkeys(column.sample(LOOKED_AT)))


def _is_file(cell: str, files: Files) -> bool:
    try:
        return not is_address(cell) and files.path(cell).is_file()
    except Unreadable:
        return False


def hash_cells(modality: Modality, column: Column, by: By) -> str:
    """Return the hash of cells and of the files that they name; downloaded files count without their time."""
    by = "content" if isinstance(column.files, RemoteFiles) else by
    found = hashlib.sha256(by.encode())
    update_by_cells(found, modality, column, by)
    return found.hexdigest()


def update_by_cells(found: Hash, modality: Modality, column: Column, by: By) -> None:
    """Update a hash with the cells, and with the files that they name in any spelling of the path.

    Texts are not looked for on disk, which would take most of the time.
    """
    files = column.files if modality.reads_files or names_files(column) else None
    for cell in column.data.to_pylist():
        found.update(_identity(cell, files, by))


def _identity(cell: Any, files: Files | None, by: By) -> bytes:
    """Return the content of a cell that determines its array; without `files`, strings are no paths."""
    if isinstance(cell, list):
        return b"list " + b"".join(_identity(part, files, by) for part in cell)
    if isinstance(cell, dict):
        held = FileCell.of(cell)
        if held.is_part:
            return f"part {held.offset} {held.size} of ".encode() + _identity(held.path, files, by)
        cell = held.source
    if not isinstance(cell, str):
        content = cell if isinstance(cell, bytes) else repr(cell).encode()
        return b"bytes " + hashlib.sha256(content).digest()
    if files is None:
        return f"none {cell}\n".encode()
    try:
        place, status = _file_of(cell, files)
        if stat.S_ISDIR(status.st_mode):  # a folder may be one scan
            inside = [(entry.path, entry.stat()) for entry in sorted(os.scandir(place), key=lambda entry: entry.name)]
        else:
            inside = [(place, status)]
        return f"{cell}\n".encode() + b"".join(_same_file(path, found, by) for path, found in inside)
    except (OSError, ValueError, Unreadable):
        return f"none {cell}\n".encode()


def _file_of(cell: str, files: Files) -> tuple[str, os.stat_result]:
    """Return the file or folder that a cell names; most paths on disk are written as they are."""
    if not isinstance(files, RemoteFiles):
        place = os.path.join(files.folder, cell)
        try:
            return place, os.stat(place)  # noqa: PTH116 - as often as there are cells
        except (OSError, ValueError):
            if is_address(cell):  # beside files on disk: known by its address, and not downloaded here
                raise
    found = files.path(cell, folders=True)
    return str(found), found.stat()


def _same_file(path: str, status: os.stat_result, by: str) -> bytes:
    if by == "content":
        with open(path, "rb") as stream:  # noqa: PTH123
            return hashlib.file_digest(stream, "sha256").digest()
    return f"{os.path.basename(path)} {status.st_size} {status.st_mtime_ns}\n".encode()  # noqa: PTH119
