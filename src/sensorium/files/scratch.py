"""Temporary folders that outlive no process: if it is killed, the next one that makes such a folder removes it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sensorium.files.lock import LOCK, is_released, locked_file
from sensorium.runtime.signals import undone_at_end


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """Yield a new folder, removed at the end, and remove those that killed processes left under this prefix.

    The lock appears under its name when it is held, so a folder with a free lock belongs to a process that has ended.

    Args:
        prefix: how the names of these folders begin.
    """
    _remove_abandoned(Path(tempfile.gettempdir()), prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix))

    def remove() -> None:
        shutil.rmtree(folder, ignore_errors=True)

    with undone_at_end(remove):
        try:
            with locked_file(folder / f"{LOCK}.new") as lock:
                lock.rename(folder / LOCK)
                yield folder
        finally:
            remove()


def _remove_abandoned(place: Path, prefix: str) -> None:
    with suppress(OSError):
        for folder in place.glob(f"{prefix}*"):
            if _is_own(folder) and is_released(folder / LOCK):
                shutil.rmtree(folder, ignore_errors=True)


def _is_own(folder: Path) -> bool:
    """Return whether this is a folder, not a link to one, and belongs to the user of this process."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
