"""File systems of fsspec behind addresses."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from sensorium.errors import MissingExtraError, TableError
from sensorium.table._addresses import scheme_of
from sensorium.table._fetch_failures import masked
from sensorium.table._guard import Guard

INSTALL = "pip install 'sensorium[remote]'"
PACKAGES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs",
    "hf": "huggingface_hub",
}  # fmt: skip


def file_system(address: str, guard: Guard) -> tuple[Any, str]:
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
        raise OSError(masked(error, address)) from None
    return system, path


def _client(guard: Guard) -> Any:
    if find_spec("aiohttp") is None:
        raise MissingExtraError("https:// needs aiohttp", cure=INSTALL)
    return guard.session
