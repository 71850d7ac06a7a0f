"""Download remote tables and files with fsspec into the cache, and read them from there."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from sensorium.config import TableConfig
from sensorium.errors import MissingExtraError, TableError
from sensorium.findings import Outside, Unreadable
from sensorium.table._addresses import BadAddress, checked, scheme_of, server_of, without_secrets
from sensorium.table._encoded_files import is_encoded_file
from sensorium.table._fetch import fetch
from sensorium.table._fetch_failures import Refused
from sensorium.table._fetch_limits import Lasting
from sensorium.table._fetched import make_room
from sensorium.table._files import ALLOW, NO_PATH, Files
from sensorium.table._guard import Guard, NotAllowed
from sensorium.table._paths import bare_path

TOGETHER = 16  # files fetched at a time
PATIENT = 16  # files in a row that failed after all their tries; from there on each is tried once
# What a cell may name beside what its table's address begins with: the web, and stores that are known by name.
SCHEMES = ("http", "https", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hf")


@dataclass(frozen=True)
class RemoteFiles(Files):
    """Resolver of cells relative to an address; a file is downloaded when it is first needed.

    Failures are remembered like downloads, so the server gets one request, however often the table is read.

    Args:
        address: address of the table's folder, without the part after `?`.
        query: whether the table's own address has a part after `?`, which may be a token.
    """

    are_remote: ClassVar[bool] = True

    address: str = ""
    query: bool = False
    _fetched: dict[str, Path | Unreadable] = field(default_factory=dict, compare=False, repr=False)
    _failed: list[str] = field(default_factory=list, compare=False, repr=False)  # since the last that came
    _mended: list[str] = field(default_factory=list, compare=False, repr=False)

    def path(self, cell: str, *, folders: bool = False) -> Path:
        """Return the downloaded file.

        Raises:
            Unreadable: it does not exist, cannot be downloaded, is empty, or is outside the table's folder.
        """
        if is_encoded_file(cell):
            raise Unreadable(NO_PATH)
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
        """Return, and forget, the addresses of files that were damaged in the cache and downloaded again."""
        found, self._mended[:] = sorted(self._mended), []
        return found

    def fetch(self, cells: Iterable[Any], advance: Callable[[int], None]) -> None:
        """Download the files of many cells in parallel; failures are reported when a cell is decoded."""

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
            raise Outside("the path leads outside the table's folder", ALLOW)
        if "://" not in cell:
            return f"{self.address}/{cell}"
        if scheme_of(cell) not in (*SCHEMES, scheme_of(self.address)):
            raise Unreadable(f"cells may not use {scheme_of(cell)}:// addresses")
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
            raise Unreadable(f"cannot download the file ({error.finding})", error.cure or "") from None
        except FileNotFoundError:
            cure = f"paths are relative to the table's address{self._unsent}"
            raise Unreadable("the file does not exist", cure) from None
        except NotAllowed as error:
            raise Outside(error.reason, error.cure) from None
        except Refused as error:
            cure = f"check that you have permission to read the files beside the table{self._unsent}"
            raise Unreadable(f"{server_of(address)} refused to send the file ({error})", cure) from None
        except (OSError, TableError) as error:  # the latter: an address of no known kind, in a cell
            self._failed.append(address)
            reason = error.finding if isinstance(error, TableError) else error
            cure = "download it" if isinstance(error, Lasting) else "try again, or download it"
            raise Unreadable(f"cannot download the file ({reason})", cure) from None
        self._failed.clear()
        if not found.stat().st_size:
            raise Unreadable("the file is empty (0 bytes)")
        return found

    @property
    def _unsent(self) -> str:
        """Return a hint that a token of the table's address is not sent to the addresses in its cells."""
        return "; requests for these files leave out the part after '?' of the table's address" if self.query else ""


def _alone(cell: str) -> str:
    """Return a path that no library reads as an address through another one."""
    if "::" in cell or "\0" in cell:
        raise BadAddress("chained addresses (a::b) are not allowed")
    return cell


def fetch_table(address: str, config: TableConfig) -> tuple[Path, RemoteFiles]:
    """Download the table at an address; return the file, and the resolver of files in its cells.

    Raises:
        TableError: the table does not exist or cannot be downloaded.
        MissingExtraError: fsspec, or a package for such an address, is not installed.
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
        raise TableError("the table does not exist", place=place) from None
    except NotAllowed as error:
        raise TableError(f"cannot download the table: {error.reason}", place=place, cure=error.cure) from None
    except Refused as error:
        cure = "check the address, its token, and your permission to read the table"
        raise TableError(f"the server refused to send the table ({error})", place=place, cure=cure) from None
    except OSError as error:
        cure = "download it yourself, and pass the file" if isinstance(error, Lasting) else "try again"
        raise TableError(f"cannot download the table: {error}", place=place, cure=cure) from None
    before, _, query = address.partition("?")
    beside = before.rpartition("/")[0]
    return found, RemoteFiles(
        found.parent, config.allow_outside, config.remote, address=beside, query=bool(query), _mended=mended
    )
