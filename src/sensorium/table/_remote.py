"""Tables and files that lie elsewhere, through fsspec: fetched once into a folder of this machine, read from there."""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from sensorium.caches import cache_folder
from sensorium.errors import MissingExtraError, TableError
from sensorium.problems import Outside, Unreadable
from sensorium.signals import undone_at_end
from sensorium.table._paths import bare_path
from sensorium.table._query import without_secrets
from sensorium.table._table import Files

INSTALL = "pip install 'sensorium[remote]'"
TOGETHER = 16  # files fetched at a time
TRIES, WAIT = 3, 0.3  # seconds before the second try, twice as long before the third
PATIENT = 16  # files in a row that failed after all their tries; from there on each is tried once
AGAIN = (408, 425, 429)  # of the HTTP statuses 300 to 499 those that a second try may mend
REFUSED = (401, 402, 403, 407, 451)  # statuses that a token or a right is missing
CONNECT, SILENCE = 10, 30  # seconds for an HTTP server to take a connection, and to send the next bytes
LARGEST = 8 * 2**30  # bytes of a file
ROOM = 20 * 10**9  # bytes kept; beyond it, what was not used for longest goes
STAMPS = ("size", "ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created", "md5Hash")


class Refused(OSError):
    """The server doesn't send the file to us: a token or a right is missing."""


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

    def path(self, cell: str, *, folders: bool = False) -> Path:
        """The fetched file.

        Raises:
            Unreadable: it is not there, can't be had, is empty, or lies outside the table's folder.
        """
        address = self._address_of(bare_path(cell).replace("\\", "/"))
        if address not in self._fetched:
            try:
                self._fetched[address] = self._fetch(address)
            except Unreadable as error:
                self._fetched[address] = error
        found = self._fetched[address]
        if isinstance(found, Unreadable):
            raise Unreadable(found.reason, found.cure)
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
        if "::" in cell or "\0" in cell:
            raise Unreadable("an address that fetches through another one")
        inside = posixpath.normpath(cell)
        if "://" not in cell and not inside.startswith(("../", "/")) and inside != "..":
            return f"{self.address}/{quote(inside) if self._quotes else inside}"
        if not self.allow_outside:
            raise Outside("the path leads outside the table's folder", "--set table.allow_outside=true allows it")
        return cell if "://" in cell else f"{self.address}/{cell}"

    @cached_property
    def _quotes(self) -> bool:
        return self.address.startswith("http")

    def _fetch(self, address: str) -> Path:
        try:
            found = fetch(address, once=len(self._failed) >= PATIENT)
        except FileNotFoundError:
            cure = f"paths are relative to the table's address{self._unsent}"
            raise Unreadable("there is no such file", cure) from None
        except Refused as error:
            cure = f"check that you may read the files beside the table{self._unsent}"
            raise Unreadable(f"the server refused to send the file ({error})", cure) from None
        except (OSError, TableError) as error:  # the latter: an address of no known kind, in a cell
            self._failed.append(address)
            reason = error.finding if isinstance(error, TableError) else error
            raise Unreadable(f"the file can't be fetched ({reason})", "try again, or download it") from None
        self._failed.clear()
        if not found.stat().st_size:
            raise Unreadable("the file is empty (0 bytes)")
        return found

    @property
    def _unsent(self) -> str:
        """A token for the table is not for whatever its cells name; who set one has to know."""
        return "; the part after '?' of the table's address is not sent with them" if self.query else ""


def fetch_table(address: str, *, allow_outside: bool) -> tuple[Path, RemoteFiles]:
    """The table behind an address as a file of this machine, and how its cells' files are found.

    Raises:
        TableError: there is none, or it can't be had.
        MissingExtraError: fsspec, or what it needs for such an address, is not installed.
    """
    place = without_secrets(address)
    if "::" in address:
        raise TableError("an address that fetches through another one", place=place, rule="one address")
    _forget()
    try:
        found = fetch(address)
    except FileNotFoundError:
        raise TableError("there is no such table", place=place) from None
    except Refused as error:
        cure = "check the address, its token, and that you may read the table"
        raise TableError(f"the server refused to send the table ({error})", place=place, cure=cure) from None
    except OSError as error:
        raise TableError(f"the table can't be fetched: {error}", place=place, cure="try again") from None
    before, _, query = address.partition("?")
    return found, RemoteFiles(found.parent, allow_outside, before.rpartition("/")[0], bool(query))


def fetch(address: str, *, once: bool = False) -> Path:
    """A file of this machine with the content that is behind the address now.

    One that was fetched before is taken where size and time or tag are the same; a server that tells neither is asked
    for the whole again. A refusal is taken at its word; other failures may pass, and are tried again after a while.

    Raises:
        FileNotFoundError: there is nothing.
        Refused: the server has it but doesn't send it.
        OSError: it can't be had, said without what is secret in the address.
        MissingExtraError: fsspec, or what it needs for such an address, is not installed.
    """
    system, path = _file_system(address)
    folder = cache_folder("files") / hashlib.sha256(address.encode()).hexdigest()[:32]
    target = folder / (posixpath.basename(unquote(urlsplit(address).path)) or "file")
    tries = 1 if once else TRIES
    for attempt in range(tries):
        try:
            return _fetch_once(system, path, target)
        # Each protocol's library has errors of its own.
        except Exception as error:  # noqa: BLE001
            if _says_nothing_is_there(error):
                raise FileNotFoundError(without_secrets(address)) from None
            status, reason = _status(error), _masked(error.__cause__ or error, address)
            if status in REFUSED or isinstance(error, PermissionError):
                raise Refused(f"HTTP {status}" if status else reason) from None
            final = 300 <= status < 500 and status not in AGAIN
            if attempt + 1 == tries or final or isinstance(error, _TooLarge):
                raise OSError(reason) from None
            time.sleep(WAIT * 2**attempt)
    raise AssertionError


def _fetch_once(system: Any, path: str, target: Path) -> Path:
    info = system.info(path)
    stamp = {key: str(info[key]) for key in STAMPS if info.get(key) is not None}
    if target.exists() and len(stamp) > 1 and _stamp_of(target) == stamp:
        os.utime(target.parent)  # the time of its last use
        return target
    if (info.get("size") or 0) > LARGEST:
        raise _TooLarge(f"more than {LARGEST:,} bytes")
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{uuid.uuid4().hex}")  # several processes may fetch it at once
    try:
        with undone_at_end(new.unlink), new.open("xb") as stream, _open(system, path) as source:
            size = _copy(source, stream)
        if info.get("size") is not None and size != info["size"]:
            raise ConnectionError(f"{size:,} bytes came of {info['size']:,}")
        _stamp(target).unlink(missing_ok=True)  # no moment has a new file with an old stamp
        os.replace(new, target)
        _stamp(target).write_text(json.dumps(stamp))
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return target


def _stamp(target: Path) -> Path:
    """Beside the file, under a name that no file fetched into the folder can have."""
    return target.with_name(f"{target.name}.stamp")


def _stamp_of(target: Path) -> Any:
    """What the server told of the file that is here; None where that is lost or was cut short."""
    try:
        return json.loads(_stamp(target).read_text())
    except (OSError, ValueError):
        return None


def _says_nothing_is_there(error: BaseException) -> bool:
    """To fsspec's HTTP every failure is a file that is not there; what it was is the error's cause."""
    cause, status = error.__cause__, _status(error)
    plain = cause is None or isinstance(cause, FileNotFoundError)
    return status in (404, 410) or (isinstance(error, FileNotFoundError) and plain)


def _status(error: BaseException) -> int:
    """The HTTP status of an answer that a library made an error of; 0 where there was none."""
    for each in filter(None, (error, error.__cause__)):
        for name in ("status", "status_code", "code"):
            if isinstance(found := getattr(each, name, None), int):
                return found
    return 0


class _TooLarge(OSError):
    """More than is taken."""


def _open(system: Any, path: str) -> Any:
    """HTTP is read from its beginning to its end, not in pieces that are asked for one by one."""
    http = "http" in (system.protocol if isinstance(system.protocol, tuple) else (system.protocol,))
    return system.open(path, "rb", **({"block_size": 0} if http else {}))


def _copy(source: Any, stream: Any) -> int:
    size = 0
    while part := source.read(2**20):
        size += len(part)
        if size > LARGEST:
            raise _TooLarge(f"more than {LARGEST:,} bytes")
        stream.write(part)
    return size


def _file_system(address: str) -> tuple[Any, str]:
    try:
        from fsspec import available_protocols
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingExtraError("addresses need fsspec", cure=INSTALL) from error
    scheme = address.partition("://")[0].lower()
    if scheme not in available_protocols() or scheme in ("file", "local"):
        known = "s3, gs, az, https, http …, or postgresql"
        raise TableError(f"{scheme}:// is no kind of address known here", place=scheme, rule=known)
    try:
        options = {"client_kwargs": {"timeout": _patience()}} if scheme in ("http", "https") else {}
        system, path = url_to_fs(address, **options)
    except ImportError as error:
        raise MissingExtraError(f"{scheme}:// needs a package: {error}", cure=INSTALL) from None
    except ValueError as error:
        raise OSError(_masked(error, address)) from None
    return system, path


def _patience() -> Any:
    try:
        from aiohttp import ClientTimeout
    except ImportError as error:
        raise MissingExtraError("https:// needs aiohttp", cure=INSTALL) from error
    return ClientTimeout(total=None, sock_connect=CONNECT, sock_read=SILENCE)


def _masked(error: BaseException, address: str) -> str:
    """What a library says, in one line, with no more of the address than may be told."""
    parts = urlsplit(address)
    text = " ".join(str(error).split()) or type(error).__name__
    for secret in filter(None, (address, parts.query, parts.password, parts.netloc)):
        text = text.replace(secret, without_secrets(address) if secret == address else "…")
    # A server may have sent us on to an address with a signature of its own.
    return re.sub(r"\w+://[^\s'\"<>()]+", lambda found: without_secrets(found.group()), text)[:300]


def _forget() -> None:
    """Remove what was not used for longest until the rest fits."""
    kept = cache_folder("files")
    folders = [(path.stat().st_mtime, path) for path in kept.iterdir() if path.is_dir()] if kept.is_dir() else []
    sizes = {path: sum(file.stat().st_size for file in path.iterdir()) for _, path in folders}
    total = sum(sizes.values())
    for _, path in sorted(folders):
        if total > ROOM:
            total -= sizes[path]
            shutil.rmtree(path, ignore_errors=True)
