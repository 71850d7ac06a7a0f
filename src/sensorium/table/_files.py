"""Find the files that cells name."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from sensorium.config import RemoteConfig, set_both
from sensorium.findings import NotFound, Outside, Unreadable
from sensorium.table._encoded_files import is_encoded_file
from sensorium.table._paths import bare_path, is_address, spellings

ALLOW = f"{set_both('table.allow_outside', True)} allows it, or move the files into the table's folder"

NO_PATH = "the cell holds a file, not a path"


@dataclass(frozen=True)
class Files:
    """Resolver of a cell's path to a file.

    Args:
        folder: base of relative paths; the working directory for tables in memory.
        allow_outside: whether a path may lead out of the folder (by `..`, an absolute path or a link).
        remote: downloads files at addresses.
    """

    are_remote: ClassVar[bool] = False

    folder: Path
    allow_outside: bool = False
    remote: RemoteConfig = field(default_factory=RemoteConfig)

    @cached_property
    def _root(self) -> str:
        return os.path.realpath(self.folder)

    @cached_property
    def _folders(self) -> dict[str, str]:
        return {}

    @cached_property
    def _elsewhere(self) -> Files:
        from sensorium.table._remote import RemoteFiles  # it is made of this class

        return RemoteFiles(self.folder, allow_outside=True, remote=self.remote)

    def take_mended(self) -> list[str]:
        """Return addresses of downloaded files that were damaged in the cache and downloaded again, each once."""
        elsewhere = self.__dict__.get("_elsewhere")
        return elsewhere.take_mended() if isinstance(elsewhere, Files) else []

    def path(self, cell: str, *, folders: bool = False) -> Path:
        """Return the file that a cell names, in any spelling of the path; with `folders`, it may be a folder.

        Raises:
            Unreadable: the file is missing, empty, not a file, or outside the folder.
        """
        if is_encoded_file(cell):
            raise Unreadable(NO_PATH)
        fault = Unreadable("the cell has no path")
        for place, spelling in enumerate(spellings(cell)):
            try:
                return self._checked(spelling, folders=folders)
            except Unreadable as error:  # what is said of the path as it is written counts, unless it is just not there
                fault = error if place == 0 or isinstance(fault, NotFound) else fault
        if is_address(cell):
            return self._at_address(bare_path(cell))
        raise fault

    def _at_address(self, address: str) -> Path:
        """Download the file at an address, which counts as a path outside the folder."""
        if not self.allow_outside:
            raise Outside("an address outside the table's folder", ALLOW)
        return self._elsewhere.path(address)

    def _checked(self, cell: str, *, folders: bool) -> Path:
        """Return the file of this spelling of the path.

        Raises:
            Unreadable: as for `path`.
        """
        if "\0" in cell:
            raise Unreadable("a path with a NUL character")
        found, status = self._real(cell)
        if not self.allow_outside and found != self._root and not found.startswith(self._root.rstrip(os.sep) + os.sep):
            raise Outside("the path leads outside the table's folder", ALLOW)
        if status and folders and stat.S_ISDIR(status.st_mode):
            return Path(found)
        if not status or not stat.S_ISREG(status.st_mode):
            raise NotFound("the file does not exist", "paths are relative to the table's folder")
        if status.st_size == 0:
            raise Unreadable("the file is empty (0 bytes)")
        return Path(found)

    def _real(self, cell: str) -> tuple[str, os.stat_result | None]:
        """Return the path with links resolved, and its status (None if it does not exist).

        Folders are resolved once: with thousands of files this takes most of the time.
        """
        whole = os.path.join(self._root, cell)
        folder, name = os.path.split(whole)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        found = os.path.join(self._folders[folder], name)
        try:
            status = os.lstat(found)
            if name in ("", ".", "..") or stat.S_ISLNK(status.st_mode):
                found = os.path.realpath(whole)
                status = Path(found).stat()
        except (OSError, ValueError):
            return os.path.realpath(whole), None
        return found, status
