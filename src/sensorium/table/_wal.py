"""Read a SQLite database in WAL mode without leaving new files beside it.

SQLite creates `NAME-wal` and `NAME-shm` beside such a database for every reader, and a read-only one cannot remove them
again. So a database without a writer is opened as immutable, which needs neither file; if it changed meanwhile, it is
read again. If its writer was killed, the database is copied together with its log.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias, TypeVar

T = TypeVar("T")
State: TypeAlias = tuple[tuple[int, int, int] | None, ...]
VERSIONS, WAL = slice(18, 20), b"\2\2"  # bytes of the header, and what they are in WAL mode


def read_quietly(path: Path, read: Callable[[str], T]) -> T:
    """Return the result of `read`, called with a SQLite URI of the database.

    If another program has the database open, its files are used but not changed.
    """
    path = path.resolve()
    before = _state(path)
    if not _is_in_wal_mode(path) or (_beside(path, "-shm").exists() and _log_size(path)):
        return read(f"{path.as_uri()}?mode=ro")
    try:
        found = _read_copy(path, read) if _log_size(path) else read(f"{path.as_uri()}?mode=ro&immutable=1")
    except Exception:
        if _state(path) == before:
            raise
    else:
        if _state(path) == before:
            return found
    return read(f"{path.as_uri()}?mode=ro")  # a program began to write it


def _is_in_wal_mode(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(VERSIONS.stop)[VERSIONS] == WAL


def _read_copy(path: Path, read: Callable[[str], T]) -> T:
    with TemporaryDirectory(prefix="sensorium-") as folder:
        copy = Path(folder) / "copy.db"
        shutil.copyfile(path, copy)
        shutil.copyfile(_beside(path, "-wal"), _beside(copy, "-wal"))
        return read(f"{copy.as_uri()}?mode=ro")


def _log_size(path: Path) -> int:
    found = _state(path)[1]
    return found[1] if found else 0


def _state(path: Path) -> State:
    """Return identity, size and time of the database and its log."""
    return tuple(_stamp(each) for each in (path, _beside(path, "-wal")))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
