"""Download one file completely into the cache, and reuse it while it does not change on the server."""

from __future__ import annotations

import hashlib
import posixpath
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sensorium.config import RemoteConfig
from sensorium.errors import MissingExtraError, StoreError, TableError
from sensorium.files.caches import cache_folder
from sensorium.table._fetched import is_kept, replacing
from sensorium.table._guard import Guard, NotAllowed, timeouts
from sensorium.table._kinds import suffix_of
from sensorium.table._query import without_secrets

INSTALL = "pip install 'sensorium[remote]'"
PACKAGES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs",
    "hf": "huggingface_hub",
}  # fmt: skip
LOOP = "the server redirects too often, perhaps in a circle"
TRIES, WAIT = 3, 0.3  # seconds before the second try, twice as long before the third
AGAIN = (408, 425, 429)  # of the HTTP statuses 300 to 499 those that a second try may mend
REFUSED = (401, 402, 403, 407, 451)  # statuses that a token or a right is missing
STAMPS = ("size", "ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created", "md5Hash")


class Lasting(OSError):
    """Download that failed for a reason that a second try would not change."""


class Refused(OSError):
    """Download that the server refused, because a token or a permission is missing."""


def _ignore(_: str) -> None:
    pass


def fetch(
    address: str,
    guard: Guard | None = None,
    remote: RemoteConfig | None = None,
    *,
    once: bool = False,
    mended: Callable[[str], None] = _ignore,
) -> Path:
    """Return a local file with the current content of the address.

    A file downloaded before is reused if size and time or tag are the same; without these it is downloaded again. A
    refusal is final; other failures are retried after a while.

    Args:
        address: the address to download.
        guard: checks the servers that the address leads to; by default, the address counts as named by the caller.
        remote: limits of size and time.
        once: do not retry.
        mended: called with the address, without its secrets, if the cached file was damaged.

    Raises:
        NotAllowed: the address leads to a server that is not allowed.
        StoreError: the cache cannot be written to.
        FileNotFoundError: the file does not exist.
        Refused: the server has the file, but does not send it.
        Lasting: the download failed, and a second try would fail too.
        OSError: the download failed; the message has no secrets of the address.
        MissingExtraError: fsspec, or a package for such an address, is not installed.
    """
    remote = remote or RemoteConfig()
    system, path = _file_system(address, guard or Guard.of(address, remote))
    folder = cache_folder("files") / hashlib.sha256(address.encode()).hexdigest()[:32]
    name = posixpath.basename(unquote(urlsplit(address).path)) or "file"
    tries, limit = 1 if once else TRIES, Limit.of(remote)
    for attempt in range(tries):
        try:
            return _fetch_once(system, path, folder / name, limit, lambda: mended(without_secrets(address)))
        except StoreError:
            raise
        # The library of each protocol has its own errors.
        except Exception as error:  # noqa: BLE001
            if denied := _denied(error):
                raise denied from None
            if _says_nothing_is_there(error):
                raise FileNotFoundError(without_secrets(address)) from None
            status, reason = _status(error), _reason(error.__cause__ or error, address)
            if limit.is_over:
                raise limit.too_slow() from None
            if status in REFUSED or isinstance(error, PermissionError):
                raise Refused(f"HTTP {status}" if status else reason) from None
            final = isinstance(error, _TooMuch) or reason == LOOP or (300 <= status < 500 and status not in AGAIN)
            if attempt + 1 == tries or final:
                raise (Lasting if final else OSError)(reason) from None
            time.sleep(min(WAIT * 2**attempt, limit.left))
    raise AssertionError


def _fetch_once(system: Any, path: str, target: Path, limit: Limit, damaged: Callable[[], None]) -> Path:
    patience = (
        {"timeout": limit.left} if getattr(system, "async_impl", False) else {}
    )  # fsspec waits so long, no longer
    info = system.info(path, **patience)
    target = target if target.suffix else target.with_suffix(suffix_of(info.get("mimetype")))
    metadata = {key: str(info[key]) for key in STAMPS if info.get(key) is not None}
    if len(metadata) > 1 and is_kept(target, metadata, damaged):
        return target
    limit.check(info.get("size") or 0)
    with replacing(target, metadata) as write, _open(system, path, limit) as source:
        size = _copy(source, write, limit)
        if info.get("size") is not None and size != info["size"]:
            raise ConnectionError(f"received {size:,} of {info['size']:,} bytes")
    return target


def _says_nothing_is_there(error: BaseException) -> bool:
    """Return whether the error means a missing file; fsspec raises it for every HTTP failure, with the cause."""
    cause, status = error.__cause__, _status(error)
    plain = cause is None or isinstance(cause, FileNotFoundError)
    return status in (404, 410) or (isinstance(error, FileNotFoundError) and plain)


def _status(error: BaseException) -> int:
    """Return the HTTP status of a library's error; 0 if it has none."""
    for each in filter(None, (error, error.__cause__)):
        for name in ("status", "status_code", "code"):
            if isinstance(found := getattr(each, name, None), int):
                return found
    return 0


def _denied(error: BaseException) -> NotAllowed | None:
    """Return the error of the guard that a library's error wraps."""
    chain: list[BaseException] = [error]
    while chain and not isinstance(chain[-1], NotAllowed):
        below = chain[-1].__cause__ or chain[-1].__context__
        if below is None or below in chain:
            return None
        chain.append(below)
    found = chain[-1]
    return found if isinstance(found, NotAllowed) else None


class _TooMuch(Lasting):
    """Download that is too large or too slow."""


@dataclass(frozen=True)
class Limit:
    """Limits of a download's size and time, counted from its creation."""

    bytes: int
    seconds: float
    _start: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, remote: RemoteConfig) -> Limit:
        return cls(round(remote.max_gigabytes * 1e9), remote.timeout)

    @property
    def left(self) -> float:
        """Return the seconds left; always above 0, because libraries read 0 as no limit."""
        return max(0.001, self._start + self.seconds - time.monotonic())

    @property
    def is_over(self) -> bool:
        return time.monotonic() - self._start >= self.seconds

    def too_slow(self) -> OSError:
        return _TooMuch(f"it exceeds the time limit of {self.seconds:g} seconds (table.remote.timeout)")

    def check(self, size: int) -> None:
        """Raise an OSError if the bytes, or the time until now, exceed the limit."""
        if size > self.bytes:
            raise _TooMuch(f"it exceeds the limit of {self.bytes:,} bytes (table.remote.max_gigabytes)")
        if self.is_over:
            raise self.too_slow()


def _open(system: Any, path: str, limit: Limit) -> Any:
    """Open a file; an HTTP file is read with a single request."""
    if "http" not in (system.protocol if isinstance(system.protocol, tuple) else (system.protocol,)):
        return system.open(path, "rb")
    return system.open(path, "rb", block_size=0, size=limit.bytes, timeout=timeouts(limit.left))


def _copy(source: Any, write: Callable[[bytes], None], limit: Limit) -> int:
    size = 0
    while part := source.read(2**20):
        size += len(part)
        limit.check(size)
        write(part)
    return size


def scheme_of(address: str) -> str:
    return address.partition("://")[0].lower()


def server_of(address: str) -> str:
    """Return scheme, host and port: the same for all files of a server."""
    return without_secrets(address.partition("?")[0]).removesuffix(urlsplit(address).path)


def _file_system(address: str, guard: Guard) -> tuple[Any, str]:
    try:
        from fsspec import available_protocols, filesystem
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingExtraError("reading from an address needs fsspec", cure=INSTALL) from error
    scheme = scheme_of(address)
    if scheme not in available_protocols() or scheme in ("file", "local"):
        known = "s3, gs, az, https, http …, or postgresql"
        raise TableError(f"unknown kind of address: {scheme}://", place=scheme, rule=known)
    try:
        if scheme in ("http", "https"):  # not by url_to_fs, which takes [::1] for two addresses
            return filesystem(scheme, get_client=_client(guard)), address
        system, path = url_to_fs(address)
    except ImportError as error:
        cure = f"pip install {PACKAGES[scheme]}" if scheme in PACKAGES else INSTALL
        raise MissingExtraError(f"{scheme}:// needs a package: {error}", cure=cure) from None
    except ValueError as error:
        raise OSError(_masked(error, address)) from None
    return system, path


def _client(guard: Guard) -> Any:
    if find_spec("aiohttp") is None:
        raise MissingExtraError("https:// needs aiohttp", cure=INSTALL)
    return guard.session


def _reason(error: BaseException, address: str) -> str:
    """Describe a failure, if possible without the library's message, which may quote addresses."""
    if type(error).__name__ == "TooManyRedirects":
        return LOOP
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    status = _status(error)
    return f"HTTP {status}" if status else _masked(error, address)


def _masked(error: BaseException, address: str) -> str:
    """Return a library's message on one line, without secrets of the address."""
    parts = urlsplit(address)
    text = " ".join(str(error).split()) or type(error).__name__
    for secret in filter(None, (address, parts.query, parts.password, unquote(parts.password or ""), parts.netloc)):
        text = text.replace(secret, without_secrets(address) if secret == address else "…")
    # A redirect may lead to an address with another signature.
    return re.sub(r"\w+://[^\s'\"<>()]+", lambda found: without_secrets(found.group()), text)[:300]
