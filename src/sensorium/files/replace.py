"""A file or folder is written under another name and takes its place whole: `.NAME.sensorium-new` becomes `NAME`.

These names bear our mark, so that `sweep` removes what a killed process of ours left, and nobody's `.NAME.old`.
A new file's name ends in random digits, and the file is created by us alone: a link that somebody put there in advance
is neither written through nor followed, only removed. Permissions are those of the user's umask.
Where the system can't let two folders change places at once, the earlier one is `.NAME.sensorium-old` for a moment;
`standing` finds the model that is there, and `sweep` gives it its name again.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from sensorium.files.exchange import exchange
from sensorium.runtime.signals import undone_at_end

NEW, OLD = ".sensorium-new", ".sensorium-old"
Whole: TypeAlias = Callable[[Path], bool]


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Give the name to write to; the file there takes the place of `path` once the block ends without an error.

    Once this returns, a power cut does not undo it. A device or a pipe is written to as it is.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    sweep(path)
    new = path.with_name(f".{path.name}{NEW}-{secrets.token_hex(4)}")
    with undone_at_end(lambda: new.unlink(missing_ok=True)):
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        try:
            yield new
            sync(new)
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        sync(path.parent)


@contextmanager
def replaced_folder(path: Path, whole: Whole) -> Iterator[Path]:
    """Give an empty folder to write to; it takes the place of `path` once the block ends without an error.

    At every moment a whole folder is at `path`, or (where the system can't exchange two names) `standing` finds it.

    Args:
        path: a folder, or nothing.
        whole: whether a folder was written to its end.
    """
    sweep(path, whole)
    new = path.with_name(f".{path.name}{NEW}")
    with undone_at_end(lambda: sweep(path, whole)):
        try:
            new.mkdir()
            yield new
            for file in new.iterdir():
                sync(file)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        try:
            _take_place(new, path)
        finally:
            sweep(path, whole)
        sync(path.parent)


def standing(path: Path, whole: Whole) -> Path:
    """The folder that stands for `path`: itself, or where it is missing what a killed process was about to name so."""
    if path.exists():
        return path
    return next((found for found in _leftovers(path) if not found.is_symlink() and whole(found)), path)


def sweep(path: Path, whole: Whole = lambda _: False) -> None:
    """Give what stands for `path` its name, and remove what else killed processes left of it.

    Args:
        path: of a file or folder that no other process writes.
        whole: whether a folder was written to its end.
    """
    found = standing(path, whole)
    if found != path:
        found.rename(path)
    for leftover in _leftovers(path):
        with suppress(PermissionError):  # of another user, in a folder that all may write to
            _remove(leftover)


def _remove(path: Path) -> None:
    """Of a link only the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """A file's content is on the disk; a folder's entries are, where the system lets one ask for that."""
    if path.is_dir():
        with suppress(OSError):
            _sync(path, os.O_RDONLY)
    else:
        _sync(path, os.O_RDWR)


def _sync(path: Path, way: int) -> None:
    handle = os.open(path, way)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _take_place(new: Path, path: Path) -> None:
    if not path.exists():
        new.rename(path)
    elif not exchange(new, path):
        path.rename(path.with_name(f".{path.name}{OLD}"))
        new.rename(path)


def _leftovers(path: Path) -> list[Path]:
    """New ones first: they were whole before an old one was moved. Names of files end in random digits."""
    name = re.compile(rf"\.{re.escape(path.name)}({re.escape(NEW)}(-[0-9a-f]{{8}})?|{re.escape(OLD)})")
    return (
        sorted(entry for entry in path.parent.iterdir() if name.fullmatch(entry.name)) if path.parent.is_dir() else []
    )
