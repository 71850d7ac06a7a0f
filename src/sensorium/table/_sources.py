"""Read a source with the reader of its kind: a file, a folder, an address or an object."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from sensorium import registry
from sensorium.config import PATH, TableConfig, as_given, is_path
from sensorium.errors import TableError
from sensorium.table._addresses import scheme_of, without_secrets
from sensorium.table._datasets import from_datasets
from sensorium.table._files import Files
from sensorium.table._find_parts import find_parts
from sensorium.table._folders import class_folders
from sensorium.table._objects import from_object
from sensorium.table._parts import read_parts
from sensorium.table._paths import ADDRESS
from sensorium.table._read import Read
from sensorium.table._refit import refit
from sensorium.table._remote import fetch_table
from sensorium.table.tar import tar as read_shards


def read_source(
    source: Any, config: TableConfig, folder: Path | None, expected: Collection[str]
) -> tuple[Read, str, Path | None, Files | None]:
    """Return the content of a source, its name, the base folder of its files, and the resolver of remote files."""
    if isinstance(source, str) and ADDRESS.match(source):
        read, files = _read_address(source, config, expected)
        return read, without_secrets(source), folder, files
    if isinstance(source, str | os.PathLike):
        if not is_path(source):
            raise TableError(f"the table cannot be {as_given(source)}", place="table", rule=PATH.rule)
        source = Path(source)
        own = source if source.is_dir() else source.resolve().parent
        return _read_file(source, config, expected), str(source), folder or own, None
    found = from_datasets(source)
    read = Read(from_object(source) if found is None else found)
    return read, _object_name(source), folder, None


def _object_name(source: Any) -> str:
    """Describe a table that is an object, such as `the table (a list of dicts)`."""
    kind = type(source).__name__
    if isinstance(source, list | tuple) and source:
        kind += f" of {type(source[0]).__name__}s"
    module = type(source).__module__.partition(".")[0]
    return f"the table (a {kind})" if module == "builtins" else f"the table ({module}.{kind})"


def _read_file(path: Path, config: TableConfig, expected: Collection[str] = ()) -> Read:
    if path.is_dir():
        return _read_folder(path, config)
    for entry in registry.sources.entries.values():
        if path.suffix.lower() in entry.literal("SUFFIXES", ()):
            if config.query and not entry.literal("QUERY", False):
                raise TableError(
                    f"{path.suffix} files do not support queries",
                    place="table.query",
                    rule="table.query is for databases",
                )
            if not (path.exists() or entry.literal("PATTERN", False)):
                break
            fitting, told = refit(path, config, expected) if expected else (config, [])
            read = _as_read(entry.load()(path, fitting))
            return replace(read, problems=[*told, *read.problems])
    if not path.exists():
        raise TableError("the table does not exist", place=str(path))
    raise TableError(f"unknown kind of table: {path.suffix or 'no suffix'}", place=str(path), rule=_suffixes())


def _read_folder(path: Path, config: TableConfig) -> Read:
    if any(path.glob("*.tar")):
        return Read(read_shards(path / "*.tar", config))
    parts = find_parts(path)
    return read_parts(path, parts, config, _read_file) if parts else Read(class_folders(path))


def _read_address(address: str, config: TableConfig, expected: Collection[str]) -> tuple[Read, Files | None]:
    """Read the table at `scheme://…`, and return the resolver of files beside it."""
    scheme = scheme_of(address)
    for entry in registry.sources.entries.values():
        if scheme in entry.literal("SCHEMES", ()):
            return _as_read(entry.load()(address, config)), None
    path, files = fetch_table(address, config)
    if path.suffix.lower() not in _known():
        finding = "neither the address's suffix nor the server's content type shows the kind of table"
        raise TableError(finding, place=without_secrets(address), rule=_suffixes())
    return _read_file(path, config, expected), files


def _as_read(found: Read | pa.Table) -> Read:
    return found if isinstance(found, Read) else Read(found)


def _suffixes() -> str:
    return ", ".join(_known())


def _known() -> list[str]:
    return [suffix for entry in registry.sources.entries.values() for suffix in entry.literal("SUFFIXES", ())]
