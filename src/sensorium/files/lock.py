"""Let one process write at a time, with a lock that the system releases when the process ends."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sensorium.errors import ArtifactError, BusyError
from sensorium.runtime.signals import undone_at_end

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = ".sensorium-lock"  # a name that no other program gives: a file of this name is ours to remove
TAKEN = (errno.EACCES, errno.EAGAIN)
PATIENCE = 60.0  # seconds that a writer of one file or model waits for another
PAUSE = 0.05
NOT_THROUGH = getattr(os, "O_NOFOLLOW", 0)  # a symbolic link is an error; Windows has no such flag


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Create a folder and lock it, so that no other process writes in it.

    Raises:
        BusyError: another process writes in it.
        ArtifactError: the folder cannot be created or written to.
    """
    fresh = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(f"cannot create the folder: {error.strerror}", place=str(folder)) from None

    def tidy() -> None:
        if fresh:
            with suppress(OSError):  # it is not empty, as it should be
                folder.rmdir()

    with undone_at_end(tidy):
        try:
            with _held(folder / LOCK, str(folder), 0.0):
                yield
        finally:
            tidy()


@contextmanager
def one_writer(path: Path) -> Iterator[None]:
    """Wait for other processes that write the same file or model folder, then lock it; the last one wins.

    Raises:
        BusyError: another process did not finish within a minute.
        ArtifactError: the folder cannot be written to.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        yield  # a device or a pipe: nothing is put beside it
        return
    with _held(path.with_name(f".{path.name}{LOCK}"), str(path), PATIENCE):
        yield


@contextmanager
def _held(lock: Path, place: str, patience: float) -> Iterator[None]:
    try:
        file, handle = _take(lock, place, time.monotonic() + patience)
    except OSError as error:
        raise ArtifactError(f"cannot write to the folder: {error.strerror}", place=str(lock.parent)) from None

    def release() -> None:
        file.unlink(missing_ok=True)  # before it is let go of: who waits for it looks whether it is still there
        os.close(handle)

    with undone_at_end(release):
        try:
            yield
        finally:
            release()


def _take(lock: Path, place: str, until: float) -> tuple[Path, int]:
    """Return the open lock file, once no other process holds it."""
    while True:
        file, handle = _try(lock)
        if handle is not None:
            os.write(handle, json.dumps(_me()).encode())
            return file, handle
        if time.monotonic() >= until:
            raise _busy(file, place, by_system=file == lock)
        time.sleep(PAUSE)


def _try(lock: Path) -> tuple[Path, int | None]:
    """Return the open lock file if this process holds it now; None if another process does."""
    while fcntl is not None:
        handle = _open(lock)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            if error.errno in TAKEN:
                return lock, None
            lock.unlink(missing_ok=True)
            break  # there are no locks on this file system
        if _is(lock, handle) and not _has_other_names(handle):
            os.ftruncate(handle, 0)
            return lock, handle
        if _is(lock, handle):
            lock.unlink()
        os.close(handle)  # its holder has removed it meanwhile, or it was no file of ours
    return _try_without_locks(lock.with_name(f"{lock.name}.held"))


def _open(lock: Path) -> int:
    """Open the lock file, and create it if missing; a link would lead to another file, and is removed."""
    while True:
        try:
            return os.open(lock, os.O_RDWR | os.O_CREAT | NOT_THROUGH, 0o666)
        except OSError:
            if not lock.is_symlink():
                raise
            lock.unlink(missing_ok=True)


def _has_other_names(handle: int) -> bool:
    """Return whether the file has hard links: writing to it would change another file."""
    return os.fstat(handle).st_nlink > 1


def _is(lock: Path, handle: int) -> bool:
    try:
        return os.path.samestat(lock.lstat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _try_without_locks(file: Path) -> tuple[Path, int | None]:
    """Use the existence of a file as the lock, if the system or the file system has none (some network folders).

    A lock of a process that no longer exists on this machine is ignored; for other machines that is unknown.
    """
    holder = _holder(file)
    if holder.get("host") == socket.gethostname() and not _is_alive(holder["pid"]):
        file.unlink(missing_ok=True)
    try:
        return file, os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return file, None


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # to ask for it there is to end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _me() -> dict[str, Any]:
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": since}


def _holder(file: Path) -> dict[str, Any]:
    """Return what the holder wrote about itself; empty if it has not yet."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    valid = isinstance(found, dict) and {"pid", "host", "since"} <= {*found} and type(found["pid"]) is int
    return found if valid else {}


def _busy(file: Path, place: str, by_system: bool) -> BusyError:
    who = "process {pid} on {host}, since {since}".format(**holder) if (holder := _holder(file)) else ""
    gone = "" if by_system else f"; if that process is gone, delete {file}"
    return BusyError(
        f"another process is writing here{': ' if who else ''}{who}",
        place=place,
        rule="one process writes at a time",
        cure=f"wait until it ends, or choose another output{gone}",
    )
