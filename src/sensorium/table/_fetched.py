"""Fetched files as they lie in the cache: each beside a stamp of what the server told of it, and of what came."""

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
    """Another process made room while a file was fetched."""


def is_kept(target: Path, told: Mapping[str, str], damaged: Callable[[], None]) -> bool:
    """Is the file here that the server has now, and is it as it came?

    Args:
        target: the file.
        told: what the server tells of it: size, time, tag.
        damaged: called where it is the same file, but is not as it came.
    """
    try:
        stamp = unseal(_stamp(target).read_bytes())
        if stamp["told"] != told:
            return False
        whole = _checksum(target) == stamp["content"]
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError):
        return False
    except PermissionError as error:
        raise cannot_keep(target, error) from None
    except OSError:  # a part of the disk that can't be read
        whole = False
    if whole:
        touch(target.parent)
    else:
        damaged()
    return whole


@contextmanager
def replacing(target: Path, told: Mapping[str, str]) -> Iterator[Callable[[bytes], None]]:
    """A function that takes the file's bytes; in the end it is there whole, or as it was before.

    Raises:
        StoreError: the disk is full, the folder can't be written to.
        Removed: another process removed the folder meanwhile.
    """
    file = _New(target)
    try:
        with undone_at_end(file.close):
            yield file.write
            file.finish(told)
    finally:
        file.close()


class _New:
    """A file that is being fetched."""

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

    def finish(self, told: Mapping[str, str]) -> None:
        with _local(self._target):
            self._stream.close()
            _stamp(self._target).unlink(missing_ok=True)  # no moment has a new file with an old stamp
            self._new.replace(self._target)
            _stamp(self._target).write_bytes(seal({"told": dict(told), "content": [self._size, self._checksum]}))

    def close(self) -> None:
        with _local(self._target):
            self._stream.close()
            self._new.unlink(missing_ok=True)


@contextmanager
def _local(target: Path) -> Iterator[None]:
    """Tell failures of this machine from those of the server."""
    try:
        yield
    except FileNotFoundError:
        raise Removed("another process removed the file from the cache") from None
    except OSError as error:
        raise cannot_keep(target, error) from None


def cannot_keep(target: Path, error: OSError) -> StoreError:
    """For a cache that can't be used."""
    return StoreError(
        f"fetched files can't be kept: {error.strerror or error}",
        place=str(target.parent),
        cure="make room, or set SENSORIUM_CACHE to a folder that you may write to",
    )


def make_room() -> None:
    """Remove what was not used for longest until the rest fits."""
    forget_oldest(cache_folder("files"), ROOM, discard)


def _stamp(target: Path) -> Path:
    """Beside the file, under a name that no file fetched into the folder can have."""
    return target.with_name(f"{target.name}.stamp")


def _checksum(path: Path) -> list[Any]:
    """Size and checksum, as a stamp has them."""
    size = found = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            size, found = size + len(block), zlib.crc32(block, found)
    return [size, found]
