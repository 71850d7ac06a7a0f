"""Download one file completely into the cache, and reuse it while it does not change on the server."""

from __future__ import annotations

import hashlib
import posixpath
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sensorium.config import RemoteConfig
from sensorium.errors import StoreError
from sensorium.files.caches import cache_folder
from sensorium.table._addresses import without_secrets
from sensorium.table._fetch_failures import LOOP, Refused, denied_by_guard, failure_in_words, http_status, is_not_found
from sensorium.table._fetch_limits import Lasting, Limit, TooMuch
from sensorium.table._fetched import is_kept, replacing
from sensorium.table._file_systems import file_system
from sensorium.table._guard import Guard, timeouts
from sensorium.table._kinds import suffix_of

TRIES, WAIT = 3, 0.3  # seconds before the second try, twice as long before the third
AGAIN = (408, 425, 429)  # of the HTTP statuses 300 to 499 those that a second try may mend
REFUSED = (401, 402, 403, 407, 451)  # statuses that a token or a right is missing
STAMPS = ("size", "ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created", "md5Hash")


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
    system, path = file_system(address, guard or Guard.of(address, remote))
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
            if denied := denied_by_guard(error):
                raise denied from None
            if is_not_found(error):
                raise FileNotFoundError(without_secrets(address)) from None
            status, reason = http_status(error), failure_in_words(error.__cause__ or error, address)
            if limit.is_over:
                raise limit.too_slow() from None
            if status in REFUSED or isinstance(error, PermissionError):
                raise Refused(f"HTTP {status}" if status else reason) from None
            final = isinstance(error, TooMuch) or reason == LOOP or (300 <= status < 500 and status not in AGAIN)
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
