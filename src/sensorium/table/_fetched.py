"""Downloaded files in the cache; beside each, a stamp has the server's metadata and a checksum."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sensorium.errors import StoreError
from sensorium.files.caches import cache_folder, discard, forget_oldest, seal, touch, unseal
from sensorium.runtime.signals import undone_at_end

ROOM = 20 * 10**9  # bytes kept; beyond it, what was not used for longest goes
BLOCK = 2**20  # bytes read at a time


class Removed(OSError):
    """Cache entry that another process removed during the download."""


def is_kept(target: Path, metadata: Mapping[str, str], damaged: Callable[[], None]) -> bool:
    """Return whether the cached file is the server's current one, and undamaged.

    Args:
        target: the file.
        metadata: the server's metadata: size, time, tag.
        damaged: called if the file is current but damaged.
    """
    try:
        stamp = unseal(_stamp(target).read_bytes())
        if stamp["told"] != metadata:
            return False
        whole = _checksum(target) == stamp["content"]
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError):
        return False
    except PermissionError as error:
        raise cannot_keep(target, error) from None
    except OSError:  # an unreadable part of the disk
        whole = False
    if whole:
        touch(target.parent)
    else:
        damaged()
    return whole


@contextmanager
def replacing(target: Path, metadata: Mapping[str, str]) -> Iterator[Callable[[bytes], None]]:
    """Yield a function that receives the bytes; the file is replaced once it is complete.

    Raises:
        StoreError: the disk is full, or the folder cannot be written to.
        Removed: another process removed the folder during the download.
    """
    file = _New(target)
    try:
        with undone_at_end(file.close):
            yield file.write
            file.finish(metadata)
    finally:
        file.close()


class _New:
    """File that is being downloaded."""

    def __init__(self, target: Path) -> None:
        self._target, self._size, self._checksum = target, 0, 0
        with _local(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._new = target.with_name(f".{uuid.uuid4().hex}")  # several processes may fetch it at once
            self._stream = self._new.open("xb")

    def write(self, content: bytes) -> None:
        with _local(self._target):
            self._stream.write(content)
        self._size, self._checksum = self._size + len(content), zlib.crc32(content, self._checksum)

    def finish(self, metadata: Mapping[str, str]) -> None:
        with _local(self._target):
            self._stream.close()
            _stamp(self._target).unlink(missing_ok=True)  # no moment has a new file with an old stamp
            self._new.replace(self._target)
            _stamp(self._target).write_bytes(seal({"told": dict(metadata), "content": [self._size, self._checksum]}))

    def close(self) -> None:
        with _local(self._target):
            self._stream.close()
            self._new.unlink(missing_ok=True)


@contextmanager
def _local(target: Path) -> Iterator[None]:
    """Convert failures of this machine, to distinguish them from those of the server."""
    try:
        yield
    except FileNotFoundError:
        raise Removed("another process removed the file from the cache") from None
    except OSError as error:
        raise cannot_keep(target, error) from None


def cannot_keep(target: Path, error: OSError) -> StoreError:
    """Return the error for a cache that cannot be used."""
    return StoreError(
        f"cannot store downloaded files: {error.strerror or error}",
        place=str(target.parent),
        cure="free some disk space, or set SENSORIUM_CACHE to a writable folder",
    )


def make_room() -> None:
    """Remove the least recently used files until the others fit into the limit."""
    forget_oldest(cache_folder("files"), ROOM, discard)


def _stamp(target: Path) -> Path:
    """Return the path of the stamp beside the file, a name that no downloaded file can have."""
    return target.with_name(f"{target.name}.stamp")


def _checksum(path: Path) -> list[Any]:
    """Return size and checksum, for the stamp."""
    size = found = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            size, found = size + len(block), zlib.crc32(block, found)
    return [size, found]
