"""Open a path or an object as a Table."""

from __future__ import annotations

import collections
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from sensorium import registry
from sensorium.config import TableConfig
from sensorium.errors import TableError, raise_together
from sensorium.findings import count
from sensorium.table._codes import empty_codes, spelt_codes, spelt_moments
from sensorium.table._datasets import from_datasets
from sensorium.table._files import Files
from sensorium.table._folders import class_folders
from sensorium.table._lists import join_lists
from sensorium.table._notation import Conventions, some_texts
from sensorium.table._objects import from_object
from sensorium.table._origins import name_columns
from sensorium.table._parts import find_parts, read_parts
from sensorium.table._paths import ADDRESS
from sensorium.table._plain import NoPlainForm, converted, whole
from sensorium.table._query import without_secrets
from sensorium.table._read import Read
from sensorium.table._refit import refit
from sensorium.table._remote import fetch_table
from sensorium.table._series import join_series
from sensorium.table._table import Origin, Table
from sensorium.table._targets import join_spelling, join_targets
from sensorium.table._types import narrow, normalise
from sensorium.table._windows import cut_windows
from sensorium.table.tar import tar as read_shards


def open_table(
    source: Any,
    config: TableConfig | None = None,
    *,
    folder: Path | None = None,
    text: Collection[str] = (),
    gaps: bool = False,
    expected: Collection[str] = (),
) -> Table:
    """Open a table.

    Sources: a path to CSV, TSV, JSON Lines, Parquet, Arrow, Feather, SQLite, DuckDB or Excel, to a folder of class
    folders or of Parquet parts; the address of one of these (`https://…`, `s3://…`) or of a PostgreSQL database; a
    pandas, polars or pyarrow table; a Hugging Face Dataset or DatasetDict; a dict of columns; rows as dicts,
    dataclasses or named tuples; a dict of cells, which is one row; a Table, which is returned unchanged.

    Args:
        source: the table to read.
        config: encoding, separator, spellings of missing cells, whether paths may leave the folder.
        folder: base of relative file paths; by default the file's own folder, or the working directory.
        text: columns that are read as text even if every cell is a number, because they were text in training.
        gaps: whether source columns of series, windows and several targets may be missing; their values are then gaps.
        expected: columns of the model whose settings these are; settings that do not fit the file are replaced and
            reported.

    Raises:
        TableError: the source is not found or not readable, has no rows, has two columns of the same name, or lacks
            columns of series or windows.

    Example:
        >>> from sensorium.table import open_table
        >>> table = open_table({"length": [92, None, 118]})
        >>> table.column("length").present.tolist()
        [True, False, True]
    """
    if isinstance(source, Table):
        return source
    config = config or TableConfig.model_validate({})
    read, name, folder, files = _read_source(source, config, folder, expected)
    arrow, origins = name_columns(read.arrow if read.checked else whole(read.arrow, name))
    _check(arrow, name)
    given, origins = _plain_columns(arrow, config, origins)
    point = config.decimal != "," and config.thousands != "."
    columns = {column: cells if column in text else narrow(cells, point=point) for column, cells in given.items()}
    columns, given = empty_codes(columns, given, config.missing)
    spelling = {column: cells for column, cells in given.items() if pa.types.is_floating(columns[column].type)}
    spelling = {column: cells for column, cells in spelling.items() if pa.types.is_string(cells.type)}
    files = files or Files((folder or Path.cwd()).resolve(), config.allow_outside, config.remote)
    columns = join_targets(join_lists(columns, config.lists, name, gaps=gaps), config.targets, name, gaps=gaps)
    origins = {column: origin for column, origin in origins.items() if column not in (*config.lists, *config.targets)}
    table = Table(
        pa.table(columns),
        files,
        name,
        problems=tuple(read.problems),
        spelling=join_spelling(spelling, config.targets, columns),
        conventions=_conventions(read.separator, given, config),
        origins=origins,
    )
    table = join_series(table, config.series, gaps=gaps) if config.series else table
    return cut_windows(table, config.windows, gaps=gaps) if config.windows else table


def _read_source(
    source: Any, config: TableConfig, folder: Path | None, expected: Collection[str]
) -> tuple[Read, str, Path | None, Files | None]:
    """Return the content of a source, its name, the base folder of its files, and the resolver of remote files."""
    if isinstance(source, str) and ADDRESS.match(source):
        read, files = _read_address(source, config, expected)
        return read, without_secrets(source), folder, files
    if isinstance(source, str | Path):
        own = Path(source) if Path(source).is_dir() else Path(source).resolve().parent
        return _read_file(Path(source), config, expected), str(source), folder or own, None
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


def _conventions(separator: str, given: Mapping[str, pa.ChunkedArray], config: TableConfig) -> Conventions:
    """Return the table's number conventions: from the settings, and from its columns of text."""
    codes = tuple(word for word in config.missing if spelt_codes([word]) or spelt_moments([word]))
    texts = some_texts(given.values())
    return Conventions(config.decimal, config.thousands, config.currency, config.censored, codes, separator, texts)


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
    scheme = address.partition("://")[0].lower()
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


def _plain_columns(
    arrow: pa.Table, config: TableConfig, origins: Mapping[str, Origin]
) -> tuple[dict[str, pa.ChunkedArray], dict[str, Origin]]:
    """Convert columns to known types; columns of other types are missing in every row, and reported."""
    columns, found = dict[str, pa.ChunkedArray](), dict(origins)
    for field, cells in zip(arrow.schema, arrow.columns, strict=True):
        name = field.name
        try:
            columns[name] = normalise(cells, config.missing, field.metadata)
            said = {"converted": converted(cells.type)}
            if pa.types.is_temporal(cells.type) and (beyond := columns[name].null_count - cells.null_count):
                said["lost"] = f"{count(beyond, 'cell')} outside the years 1 to 9999: read as missing"
        except (NoPlainForm, pa.ArrowException, NotImplementedError) as error:
            columns[name] = pa.chunked_array([pa.nulls(len(cells), pa.string())])
            said = {"unread": f"Arrow type {error if isinstance(error, NoPlainForm) else cells.type}"}
        except RecursionError:
            columns[name] = pa.chunked_array([pa.nulls(len(cells), pa.string())])
            said = {"unread": "lists that are nested too deeply"}
        if any(said.values()):
            found[name] = replace(found.get(name, Origin()), **said)
    return columns, found


def _check(arrow: pa.Table, name: str) -> None:
    counts = collections.Counter(arrow.column_names)
    faults = [
        TableError(
            f"{count} columns have the name {column!r}",
            place=name,
            rule="column names must be unique",
            cure="rename them",
        )
        for column, count in counts.items()
        if count > 1
    ]
    raise_together(faults)
    if not arrow.num_rows:
        raise TableError("the table has no rows", place=name)
