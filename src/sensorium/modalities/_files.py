"""Columns whose cells are files: decoded in threads; an unreadable file becomes a missing cell with a reason."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from sensorium.findings import NotFound, Nothing, Problem, Unreadable, shorten
from sensorium.modalities._encoded import Work
from sensorium.modalities._file_columns import looks_like_files as looks_like_files
from sensorium.table import (
    Column,
    FileCell,
    Files,
    encoded_content,
    evenly_spaced,
    hide_secrets,
    is_encoded_file,
    is_gap_word,
    resembles_base64,
)

Source: TypeAlias = Path | io.BytesIO
T = TypeVar("T")

CHUNK = 32  # files per task of a thread: few enough for a smooth progress bar, enough to keep the overhead low
NO_KIND = "the cell looks like base64, but its first bytes are those of no known kind of file"
LEARN_FROM = 200  # files from which a modality learns sizes, sampling rates and statistics


def open_cell(value: Any, files: Files, *, folders: bool = False) -> Source:
    """Return an object that a decoder can open.

    The value is a path, bytes, a data URL, base64, {"bytes", "path"}, or {"path", "offset", "size"} of a part of a
    file. With `folders`, a path may be that of a folder.

    Raises:
        Unreadable: there is nothing to open.
    """
    if isinstance(value, dict):
        cell = FileCell.of(value)
        value = _part(cell, files) if cell.is_part else cell.source
    if isinstance(value, bytes):
        if not value:
            raise Unreadable("the cell holds 0 bytes")
        return io.BytesIO(value)
    if isinstance(value, str):
        return io.BytesIO(encoded_content(value)) if is_encoded_file(value) else _path(value, files, folders=folders)
    raise Unreadable(f"{type(value).__name__} is neither a path nor bytes")


def _path(cell: str, files: Files, *, folders: bool) -> Path:
    try:
        return files.path(cell, folders=folders)
    except NotFound:
        if resembles_base64(cell):
            raise Unreadable(NO_KIND, "write the file in a format that Sensorium reads, and its base64 again") from None
        raise


def _part(cell: FileCell, files: Files) -> bytes:
    """Read a byte range of a file, such as a member of a tar shard."""
    if cell.span is None:
        raise Unreadable("offset and size of a file part must be whole numbers of at least 0")
    path, start, size = cell.span
    try:
        with files.path(path).open("rb") as stream:
            if start + size > os.fstat(stream.fileno()).st_size:
                raise Unreadable("the file is shorter than when the table was read")
            stream.seek(start)
            return stream.read(size)
    except OSError as error:
        raise Unreadable(f"the file cannot be read ({error.strerror})") from None


def decode_cells(
    column: Column,
    decode: Callable[[Source], T],
    work: Work,
    store: Callable[[int, T], None],
    *,
    folders: bool = False,
) -> tuple[npt.NDArray[np.bool_], list[Problem]]:
    """Decode every cell and pass it to `store(row, cell)`; return which cells are present, and the problems.

    Threads suffice: Pillow, libsndfile and NumPy release the global interpreter lock.
    """
    cells = column.data.to_pylist()
    present = np.zeros(len(cells), bool)

    def decode_chunk(start: int) -> list[Problem]:
        problems = []
        rows = range(start, min(start + CHUNK, len(cells)))
        for row in rows:
            try:
                if cells[row] is not None:
                    store(row, decode(open_cell(cells[row], column.files, folders=folders)))
                    present[row] = True
            except Unreadable as error:
                if not (column.is_view and isinstance(error, Nothing)):
                    problems.append(_problem(column, row, cells[row], error))
        work.advance(len(rows))
        return problems

    chunks = _map(decode_chunk, range(0, len(cells), CHUNK), work.workers)
    return present, [problem for chunk in chunks for problem in chunk]


def decode_sample(
    column: Column, decode: Callable[[Source], T], *, most: int = LEARN_FROM, folders: bool = False
) -> list[T]:
    """Decode `most` evenly spaced files, without those that are unreadable."""
    found = []
    for value in column.sample(most):
        try:
            found.append(decode(open_cell(value, column.files, folders=folders)))
        except Unreadable:
            continue  # reported, with its row, when the column is encoded
    return found


def sample_rows(column: Column, most: int) -> npt.NDArray[np.int64]:
    """Return at most `most` rows that hold a value, evenly spaced."""
    rows = np.flatnonzero(column.present)
    return rows[evenly_spaced(len(rows), most)]


def _problem(column: Column, row: int, value: Any, error: Unreadable) -> Problem:
    if isinstance(value, str) and isinstance(error, NotFound) and is_gap_word(value):
        return Problem(row, column.name, "the cell is a word for a missing value: read as missing", "", value)
    cure = error.cure or "repair or replace the file"
    return Problem(row, column.name, f"{error.reason}: read as missing", cure, shown_cell(value))


def shown_cell(cell: Any) -> str:
    """Quote a cell that holds or names files: shortened, and URLs without passwords and tokens."""
    if isinstance(cell, dict):
        held = FileCell.of(cell)
        cell = held.name or held.content
    if isinstance(cell, list | tuple):
        return shorten(f"[{', '.join(map(shown_cell, cell))}]")
    return shorten(hide_secrets(cell) if isinstance(cell, str) else cell)


def _map(function: Callable[[int], list[T]], starts: Iterable[int], workers: int) -> Iterable[list[T]]:
    if workers <= 1:
        return map(function, starts)
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, starts))
