"""Let one process write at a time, with a lock that the system releases when the process ends."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sensorium.errors import ArtifactError
from sensorium.files._holder import busy_error, is_of_dead_process, own_mark
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
def locked_file(path: Path) -> Iterator[Path]:
    """Create a file of this process, and hold its lock within; the file may be renamed meanwhile.

    Where there are no locks, the file says which process holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, json.dumps(own_mark()).encode())
        if fcntl is not None:
            with suppress(OSError):  # there are no locks on this file system
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield path
    finally:
        os.close(handle)


def is_released(path: Path) -> bool:
    """Return whether the process that held a file by `locked_file` has ended; False if there is no such file."""
    try:
        handle = os.open(path, os.O_RDWR | NOT_THROUGH)
    except OSError:
        return False
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except OSError as error:
        if error.errno in TAKEN:
            return False
    finally:
        os.close(handle)
    return is_of_dead_process(path)


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
            os.write(handle, json.dumps(own_mark()).encode())
            return file, handle
        if time.monotonic() >= until:
            raise busy_error(file, place, by_system=file == lock)
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
    if is_of_dead_process(file):
        file.unlink(missing_ok=True)
    try:
        return file, os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return file, None
