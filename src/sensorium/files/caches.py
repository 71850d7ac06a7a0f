"""Cache folders: where they are, and how an entry is written, verified and removed."""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sensorium.errors import StoreError

ENTRY = re.compile("[0-9a-f]{32}")  # names of entries: what else lies in the folder is not ours to remove
GONE = ".gone-"  # in the name of an entry that is being removed
SEAL = "crc"


def cache_folder(name: str = "") -> Path:
    """Return `$SENSORIUM_CACHE` or the user's cache folder; with a name, the folder `sensorium-NAME` beside it.

    Raises:
        StoreError: the user has no home folder.
    """
    named, caches = os.environ.get("SENSORIUM_CACHE"), os.environ.get("XDG_CACHE_HOME")
    folder = Path(named) if named else Path(caches or _home() / ".cache") / "sensorium"
    return folder.with_name(f"{folder.name}-{name}") if name else folder


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and the system does not know the user, as in some containers
        raise StoreError("the user has no home folder for caches", cure="set SENSORIUM_CACHE to a folder") from None


def seal(content: Mapping[str, Any]) -> bytes:
    """Return JSON values as a line with a checksum."""
    return json.dumps({**content, SEAL: zlib.crc32(json.dumps(content).encode())}).encode() + b"\n"


def unseal(line: bytes) -> dict[str, Any]:
    """Return the values of a line made by `seal`.

    Raises:
        ValueError: the line was changed.
    """
    found = json.loads(line)
    if not isinstance(found, dict) or found.pop(SEAL, None) != zlib.crc32(json.dumps(found).encode()):
        raise ValueError("the line was changed")
    return found


def write_durably(path: Path, content: bytes) -> None:
    """Write a file atomically; after the return, it survives a power failure."""
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(path)
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def discard(entry: Path) -> None:
    """Remove an entry as a whole; if the process is killed, `forget_oldest` removes the rest later.

    Raises:
        OSError: the entry cannot be removed.
    """
    gone = entry.with_name(f"{entry.name}{GONE}{uuid.uuid4().hex}")
    with suppress(FileNotFoundError):  # another process was faster
        entry.rename(gone)
        _delete(gone)


def forget_oldest(folder: Path, limit: int, remove: Callable[[Path], None], but: Path | None = None) -> None:
    """Remove the least recently used entries until the others fit into `limit` bytes.

    Args:
        folder: the folder of the entries; other processes may add and remove some meanwhile.
        limit: bytes.
        remove: called with an entry to remove.
        but: an entry to keep.
    """
    with suppress(OSError):
        for path in folder.glob(f"*{GONE}*"):
            if ENTRY.fullmatch(path.name.partition(GONE)[0]):
                _delete(path)
        found = [(_last_use(path), path) for path in folder.iterdir() if ENTRY.fullmatch(path.name) and path.is_dir()]
        sizes = {path: size_of(path) for _, path in found}
        total = sum(sizes.values())
        for _, path in sorted(found):
            if total > limit and path != but:
                total -= sizes[path]
                with suppress(OSError):
                    remove(path)


def size_of(entry: Path) -> int:
    """Return the size of an entry's files in bytes; files that disappear meanwhile count as 0."""
    total = 0
    with suppress(OSError):
        for file in entry.iterdir():
            with suppress(OSError):
                total += file.stat().st_size
    return total


def touch(entry: Path) -> None:
    """Set the time of last use, if the file can be written."""
    with suppress(OSError):
        os.utime(entry)


def _last_use(entry: Path) -> float:
    try:
        return entry.stat().st_mtime
    except OSError:
        return 0.0


def _delete(path: Path) -> None:
    """Delete files; a file that another process has open may remain on some systems, and is tried again later."""
    if path.is_symlink():
        with suppress(OSError):
            path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
