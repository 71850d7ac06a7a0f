"""Write a file or folder under another name, then replace the target atomically: `.NAME.sensorium-new` becomes `NAME`.

These names carry our mark, so that `sweep` removes only what a killed process of ours left, and never a `.NAME.old` of
the user. The name of a new file ends in random digits, and the file must not exist before: a link that somebody created
in advance is removed, not followed. Permissions are those of the user's umask. If the system cannot exchange two
folders atomically, the earlier one is `.NAME.sensorium-old` for a moment; `standing` finds the existing model, and
`sweep` restores its name.
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
    """Yield the path to write to; the file replaces `path` when the block ends without an error.

    The new content survives a power failure. A device or a pipe is written to directly.
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
    """Yield an empty folder to write to; it replaces `path` when the block ends without an error.

    At any time, a complete folder is at `path`, or (if the system cannot exchange two names) `standing` finds it.

    Args:
        path: a folder, or nothing.
        whole: returns whether a folder was written completely.
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
    """Return `path`, or if it is missing the complete folder that a killed process was about to rename to it."""
    if path.exists():
        return path
    return next((found for found in _leftovers(path) if not found.is_symlink() and whole(found)), path)


def sweep(path: Path, whole: Whole = lambda _: False) -> None:
    """Restore the name of the folder that stands for `path`, and remove other leftovers of killed processes.

    Args:
        path: a file or folder that no other process writes.
        whole: returns whether a folder was written completely.
    """
    found = standing(path, whole)
    if found != path:
        found.rename(path)
    for leftover in _leftovers(path):
        with suppress(PermissionError):  # of another user, in a folder that all may write to
            _remove(leftover)


def _remove(path: Path) -> None:
    """Remove a file or folder; for a link, remove the link only."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush a file's content to disk, or a folder's entries if the system supports it."""
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
    """Return leftovers, new ones first: they were complete before the old one was renamed."""
    name = re.compile(rf"\.{re.escape(path.name)}({re.escape(NEW)}(-[0-9a-f]{{8}})?|{re.escape(OLD)})")
    return (
        sorted(entry for entry in path.parent.iterdir() if name.fullmatch(entry.name)) if path.parent.is_dir() else []
    )
