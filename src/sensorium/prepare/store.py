"""Store of prepared columns: decoded once, shared by runs, and removed when the size limit is reached."""

from __future__ import annotations

import errno
import hashlib
import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock, Timeout

from sensorium import __version__
from sensorium.config import PrepareConfig, set_both
from sensorium.errors import StoreError
from sensorium.files.caches import cache_folder, discard, forget_oldest, touch
from sensorium.modalities import Encoded, Modality, Work
from sensorium.prepare.hashes import By, update_by_cells
from sensorium.prepare.kept import FORMAT, KeptColumn
from sensorium.runtime.progress import Reporter, Silent
from sensorium.table import Column

NOT_KEPT = "decoded files are not kept for the next run"


@dataclass(frozen=True)
class Store:
    """Folder of prepared columns, `FOLDER/KEY`, each beside the lock of its writer.

    Args:
        folder: an existing folder; several runs may use it at once.
        limit: bytes; beyond it the columns that were not used for longest are removed.
        identify: how a file is identified: by path, size and modification time, or by its content.
        log: called with messages about waiting and repairs.
        optional: continue without the folder if it cannot be written to.
    """

    folder: Path
    limit: int
    identify: By = "stat"
    log: Callable[[str], None] = Silent().log
    optional: bool = False

    def encode(self, modality: Modality, column: Column, work: Work = Work()) -> Encoded:
        """Encode a column like `modality.encode`, or read it from the folder; its arrays are memory-mapped.

        A damaged column is prepared again. If the folder is optional and cannot be written to, the arrays are held in
        memory instead.

        Raises:
            StoreError: the disk is full, or the folder cannot be written to.
        """
        kept = KeptColumn(self.folder / self.key(modality, column))
        try:
            found = kept.read(column.name)
            if found is None:
                found = self._make(kept, modality, column, work)
            else:
                work.advance(len(column))
        except OSError as error:
            if not self.optional:
                raise _error(self.folder, error) from None
            self.log(_without(self.folder, error))
            return modality.encode(column, Work(work.workers))
        touch(kept.folder)
        forget_oldest(self.folder, self.limit, self._remove, kept.folder)
        return found

    def _make(self, kept: KeptColumn, modality: Modality, column: Column, work: Work) -> Encoded:
        with self._alone_with(kept):
            found = kept.read(column.name)
            if found is not None:  # another process was faster
                work.advance(len(column))
                return found
            if kept.done:  # away with it, not into it: other processes may have its files mapped
                self.log(f"? {column.name}: the cached column is damaged and is prepared again ({kept.folder})")
                discard(kept.folder)
            kept.write(modality, column, work)
            found = kept.read(column.name)
        if found is None:
            raise OSError(errno.EIO, "the disk does not return what was written to it")
        return found

    def key(self, modality: Modality, column: Column) -> str:
        """Return a hash of everything that the arrays depend on: cells, learned state, options, code, decoders."""
        found = hashlib.sha256(
            f"{FORMAT} {__version__} {type(modality).__qualname__} {code_of(type(modality))}".encode()
        )
        found.update(str([name for name in modality.decoders if find_spec(name)]).encode())
        state, arrays = modality.state()
        found.update(json.dumps(state, sort_keys=True, default=str).encode())
        for name, array in arrays.items():
            found.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
        files = column.files
        reach = f"{files.allow_outside} {files.remote.redirects} {files.remote.private}"
        found.update(f"{files.folder} {reach} {column.is_view} {self.identify}".encode())
        update_by_cells(found, modality, column, self.identify)
        return found.hexdigest()[:32]

    @contextmanager
    def _alone_with(self, kept: KeptColumn) -> Iterator[None]:
        """Hold the column's lock, which the system releases when the process is killed."""
        lock = FileLock(f"{kept.folder}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.log("another process prepares the same column: waiting for it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _remove(self, entry: Path) -> None:
        """Remove a column that no process is writing; a process that has it mapped keeps it."""
        with suppress(Timeout), FileLock(f"{entry}.lock", timeout=0):  # the lock stays: another process may wait for it
            discard(entry)


def open_store(config: PrepareConfig, report: Reporter) -> Store | None:
    """Open the store that the settings choose; None if they turn it off, or the default folder cannot be created.

    A folder that the settings name must be usable; the default one is optional.
    """
    if config.store == "none":
        return None
    optional, log = config.store == "auto", _once(report.log)
    try:
        folder = cache_folder() if optional else Path(config.store)
    except StoreError as error:
        log(f"? {error.finding}: {NOT_KEPT}; {error.cure}")
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if not optional:
            raise _error(folder, error) from None
        log(_without(folder, error))
        return None
    return Store(folder, round(config.max_gigabytes * 1e9), config.identify, log, optional)


def _once(log: Callable[[str], None]) -> Callable[[str], None]:
    """Report a message once, not for each column."""
    reported = set[str]()

    def once(text: str) -> None:
        if text not in reported:
            reported.add(text)
            log(text)

    return once


@cache
def code_of(kind: type) -> str:
    """Return a hash of the source of a modality (or encoder) and of the files beside it, which it may use."""
    folder = Path(inspect.getfile(kind)).parent
    found = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def _without(folder: Path, error: OSError) -> str:
    text = f"? {folder}: {error.strerror or error}: {NOT_KEPT}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        text += "; they are held in memory (--set prepare.stream=true needs less of it)"
    return text


def _error(folder: Path, error: OSError) -> StoreError:
    return StoreError(
        f"cannot store prepared columns: {error.strerror or error}",
        place=str(folder),
        cure=(
            f"free some disk space, choose another folder, {set_both('prepare.store', 'FOLDER')}, or store nothing, "
            f"{set_both('prepare.store', 'none')}"
        ),
    )
