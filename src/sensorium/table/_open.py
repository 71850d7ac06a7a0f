"""The door: a path or an object becomes a Table."""

from __future__ import annotations

import collections
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from sensorium import registry
from sensorium.config import TableConfig
from sensorium.errors import TableError, raise_together
from sensorium.table._datasets import from_datasets
from sensorium.table._folders import class_folders
from sensorium.table._lists import join_lists
from sensorium.table._query import without_secrets
from sensorium.table._read import Read
from sensorium.table._refit import refit
from sensorium.table._remote import fetch_table
from sensorium.table._series import join_series
from sensorium.table._table import Files, Table
from sensorium.table._targets import join_targets
from sensorium.table._types import narrow, normalise
from sensorium.table._windows import cut_windows
from sensorium.table.tar import tar as read_shards

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def open_table(
    source: Any,
    config: TableConfig | None = None,
    *,
    folder: Path | None = None,
    text: Collection[str] = (),
    gaps: bool = False,
    expected: Collection[str] = (),
) -> Table:
    """A path to CSV, TSV, JSON Lines, Parquet, Arrow, Feather, SQLite, DuckDB or Excel, or to a folder of class
    folders; the address of one of these (`https://…`, `s3://…`) or of a PostgreSQL
    database; a pandas, polars or pyarrow table; a Hugging Face
    Dataset or DatasetDict; a dict of columns; a list of dicts; a Table, which is returned as it is.

    Args:
        source: what to read.
        config: encoding, separator, spellings of missing cells, whether paths may leave the folder.
        folder: what file cells are relative to; the file's own folder, or the working directory, by default.
        text: columns that stay text even where every cell spells a number, as they did in another table.
        gaps: columns that series, windows and several targets are made of may be missing: they are gaps.
        expected: columns of the model that the settings come from; where the settings don't fit the file, those that
            do are taken and reported.

    Raises:
        TableError: not found, not readable, no rows, two columns of one name, or what series or windows can't be
            made of.
    """
    if isinstance(source, Table):
        return source
    config = config or TableConfig.model_validate({})
    files: Files | None = None
    if isinstance(source, str) and ADDRESS.match(source):
        name = without_secrets(source)
        read, files = _read_address(source, config, expected)
    elif isinstance(source, str | Path):
        read, name = _read_file(Path(source), config, expected), str(source)
        folder = folder or (Path(source) if Path(source).is_dir() else Path(source).resolve().parent)
    else:
        read, name = Read(_from_object(source)), f"{type(source).__module__.partition('.')[0]}.{type(source).__name__}"
    arrow = read.arrow
    if not read.checked:
        _check_whole(arrow, name)
    _check(arrow, name)
    given = {
        column: normalise(cells, config.missing)
        for column, cells in zip(arrow.column_names, arrow.columns, strict=True)
    }
    columns = {column: cells if column in text else narrow(cells) for column, cells in given.items()}
    spelling = {column: cells for column, cells in given.items() if pa.types.is_floating(columns[column].type)}
    spelling = {column: cells for column, cells in spelling.items() if pa.types.is_string(cells.type)}
    files = files or Files((folder or Path.cwd()).resolve(), config.allow_outside)
    columns = join_targets(join_lists(columns, config.lists, name), config.targets, name, gaps=gaps)
    spelling = {column: cells for column, cells in spelling.items() if column in columns}
    table = Table(pa.table(columns), files, name, problems=tuple(read.problems), spelling=spelling)
    table = join_series(table, config.series, gaps=gaps) if config.series else table
    return cut_windows(table, config.windows, gaps=gaps) if config.windows else table


def _read_file(path: Path, config: TableConfig, expected: Collection[str]) -> Read:
    if path.is_dir():
        return Read(read_shards(path / "*.tar", config) if any(path.glob("*.tar")) else class_folders(path))
    for entry in registry.sources.entries.values():
        if path.suffix.lower() in entry.literal("SUFFIXES", ()):
            if config.query and not entry.literal("QUERY", False):
                raise TableError(f"{path.suffix} files take no query", place="table.query", rule="it is for databases")
            if not (path.exists() or entry.literal("PATTERN", False)):
                break
            fitting, told = refit(path, config, expected) if expected else (config, [])
            read = _as_read(entry.load()(path, fitting))
            return replace(read, problems=[*told, *read.problems])
    if not path.exists():
        raise TableError("there is no such table", place=str(path))
    raise TableError(f"{path.suffix or 'no suffix'} is no kind of table known here", place=str(path), rule=_suffixes())


def _read_address(address: str, config: TableConfig, expected: Collection[str]) -> tuple[Read, Files | None]:
    """The table behind `scheme://…`, and how its cells' files are found where they lie beside it."""
    scheme = address.partition("://")[0].lower()
    for entry in registry.sources.entries.values():
        if scheme in entry.literal("SCHEMES", ()):
            return _as_read(entry.load()(address, config)), None
    path, files = fetch_table(address, allow_outside=config.allow_outside)
    return _read_file(path, config, expected), files


def _as_read(found: Read | pa.Table) -> Read:
    return found if isinstance(found, Read) else Read(found)


def _suffixes() -> str:
    return ", ".join(s for entry in registry.sources.entries.values() for s in entry.literal("SUFFIXES", ()))


def _from_object(source: Any) -> pa.Table:
    """Anything with Arrow's C stream interface (pandas, polars, DuckDB …), a Hugging Face dataset, a dict, a list."""
    found = from_datasets(source)
    if found is not None:
        return found
    try:
        if hasattr(source, "__arrow_c_stream__"):
            return pa.table(source)
        if isinstance(source, Mapping):
            return pa.table({str(name): pa.array(column) for name, column in source.items()})
        if isinstance(source, Sequence) and not isinstance(source, bytes):
            return pa.Table.from_pylist(list(source))
    except (pa.ArrowException, TypeError, AttributeError, OverflowError, UnicodeError) as error:
        raise TableError(f"the object can't be read as a table: {error}", place=type(source).__name__) from None
    raise TableError(
        f"a {type(source).__name__} is no table",
        rule="a path, a pandas, polars or pyarrow table, a dict of columns or a list of dicts",
    )


def _check_whole(arrow: pa.Table, name: str) -> None:
    """Arrow trusts the offsets that a file holds: of a damaged one it would read beyond the memory's end."""
    try:
        arrow.validate(full=True)
        _ = arrow.column_names
    except (pa.ArrowException, UnicodeError) as error:
        raise TableError(f"the table is damaged: {error}", place=name, cure="write or fetch it again") from None


def _check(arrow: pa.Table, name: str) -> None:
    counts = collections.Counter(arrow.column_names)
    faults = [
        TableError(f"{count} columns are called {column!r}", place=name, rule="column names differ", cure="rename them")
        for column, count in counts.items()
        if count > 1
    ]
    raise_together(faults)
    if not arrow.num_rows:
        raise TableError("the table has no rows", place=name)
