"""Tables and files that lie elsewhere, through fsspec: fetched once into a folder of this machine, read from there."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sensorium.config import TableConfig
from sensorium.errors import MissingExtraError, TableError
from sensorium.findings import Outside, Unreadable
from sensorium.table._addresses import BadAddress, checked
from sensorium.table._fetch import Lasting, Refused, fetch, scheme_of, server_of
from sensorium.table._fetched import make_room
from sensorium.table._files import Files
from sensorium.table._guard import Guard, NotAllowed
from sensorium.table._paths import bare_path
from sensorium.table._query import without_secrets

TOGETHER = 16  # files fetched at a time
PATIENT = 16  # files in a row that failed after all their tries; from there on each is tried once
# What a cell may name beside what its table's address begins with: the web, and stores that are known by name.
SCHEMES = ("http", "https", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hf")


@dataclass(frozen=True)
class RemoteFiles(Files):
    """Cells are relative to an address; a file that one names is fetched when it is first asked for.

    What can't be had is remembered, as is what was fetched: every look at the table asks the server once.

    Args:
        address: of the folder that the table lies in, with nothing after `?`.
        query: whether the table's own address has something after `?`, which may be a token.
    """

    address: str = ""
    query: bool = False
    _fetched: dict[str, Path | Unreadable] = field(default_factory=dict, compare=False, repr=False)
    _failed: list[str] = field(default_factory=list, compare=False, repr=False)  # since the last that came
    _mended: list[str] = field(default_factory=list, compare=False, repr=False)

    def path(self, cell: str, *, folders: bool = False) -> Path:
        """The fetched file.

        Raises:
            Unreadable: it is not there, can't be had, is empty, or lies outside the table's folder.
        """
        address = self._address_of(bare_path(cell).replace("\\", "/"))
        kept = self._fetched.get(address)
        if kept is None or (isinstance(kept, Path) and not kept.exists()):  # another process made room
            try:
                self._fetched[address] = self._fetch(address)
            except Unreadable as error:
                self._fetched[address] = error
        found = self._fetched[address]
        if isinstance(found, Unreadable):
            raise type(found)(found.reason, found.cure)
        return found

    def take_mended(self) -> list[str]:
        """Addresses of files that were damaged in the cache and fetched again; each is told once."""
        found, self._mended[:] = sorted(self._mended), []
        return found

    def fetch(self, cells: Iterable[Any], advance: Callable[[int], None]) -> None:
        """Have the files of many cells side by side; what can't be had is told when it is decoded."""

        def have(cell: str) -> None:
            with suppress(Unreadable):
                self.path(cell)
            advance(1)

        with ThreadPoolExecutor(TOGETHER) as pool:
            list(pool.map(have, dict.fromkeys(cell for cell in cells if isinstance(cell, str))))

    def _address_of(self, cell: str) -> str:
        try:
            cell = checked(cell) if "://" in cell else _alone(cell)
        except BadAddress as error:
            raise Unreadable(str(error)) from None
        inside = posixpath.normpath(cell)
        if "://" not in cell and not inside.startswith(("../", "/")) and inside != "..":
            return f"{self.address}/{quote(inside) if self._quotes else inside}"
        if not self.allow_outside:
            raise Outside("the path leads outside the table's folder", "--set table.allow_outside=true allows it")
        if "://" not in cell:
            return f"{self.address}/{cell}"
        if scheme_of(cell) not in (*SCHEMES, scheme_of(self.address)):
            raise Unreadable(f"an address of a kind that no cell may name ({scheme_of(cell)}://)")
        return cell

    @cached_property
    def _guard(self) -> Guard:
        return Guard.of(self.address, self.remote)

    @cached_property
    def _quotes(self) -> bool:
        return self.address.startswith("http")

    def _fetch(self, address: str) -> Path:
        try:
            once = len(self._failed) >= PATIENT
            found = fetch(address, self._guard, self.remote, once=once, mended=self._mended.append)
        except MissingExtraError as error:
            raise Unreadable(f"the file can't be fetched ({error.finding})", error.cure or "") from None
        except FileNotFoundError:
            cure = f"paths are relative to the table's address{self._unsent}"
            raise Unreadable("there is no such file", cure) from None
        except NotAllowed as error:
            raise Outside(error.reason, error.cure) from None
        except Refused as error:
            cure = f"check that you may read the files beside the table{self._unsent}"
            raise Unreadable(f"{server_of(address)} refused to send the file ({error})", cure) from None
        except (OSError, TableError) as error:  # the latter: an address of no known kind, in a cell
            self._failed.append(address)
            reason = error.finding if isinstance(error, TableError) else error
            cure = "download it" if isinstance(error, Lasting) else "try again, or download it"
            raise Unreadable(f"the file can't be fetched ({reason})", cure) from None
        self._failed.clear()
        if not found.stat().st_size:
            raise Unreadable("the file is empty (0 bytes)")
        return found

    @property
    def _unsent(self) -> str:
        """A token for the table is not for whatever its cells name; who set one has to know."""
        return "; the part after '?' of the table's address is not sent with them" if self.query else ""


def _alone(cell: str) -> str:
    """A path, which no library reads as an address through another one."""
    if "::" in cell or "\0" in cell:
        raise BadAddress("an address that fetches through another one")
    return cell


def fetch_table(address: str, config: TableConfig) -> tuple[Path, RemoteFiles]:
    """The table behind an address as a file of this machine, and how its cells' files are found.

    Raises:
        TableError: there is none, or it can't be had.
        MissingExtraError: fsspec, or what it needs for such an address, is not installed.
    """
    place = without_secrets(address)
    try:
        address = checked(address)
    except BadAddress as error:
        raise TableError(str(error), place=place, rule="one address, such as https://host/table.csv") from None
    make_room()
    mended = list[str]()
    try:
        guard = Guard.of(address, config.remote)
        found = fetch(address, guard, config.remote, mended=mended.append)
    except FileNotFoundError:
        raise TableError("there is no such table", place=place) from None
    except NotAllowed as error:
        raise TableError(f"the table can't be fetched: {error.reason}", place=place, cure=error.cure) from None
    except Refused as error:
        cure = "check the address, its token, and that you may read the table"
        raise TableError(f"the server refused to send the table ({error})", place=place, cure=cure) from None
    except OSError as error:
        cure = "download it, and give the file" if isinstance(error, Lasting) else "try again"
        raise TableError(f"the table can't be fetched: {error}", place=place, cure=cure) from None
    before, _, query = address.partition("?")
    beside = before.rpartition("/")[0]
    return found, RemoteFiles(
        found.parent, config.allow_outside, config.remote, address=beside, query=bool(query), _mended=mended
    )
