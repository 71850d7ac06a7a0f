"""Open a path or an object as a Table."""

from __future__ import annotations

import collections
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from sensorium.config import TableConfig
from sensorium.errors import TableError, raise_together
from sensorium.findings import count
from sensorium.table._codes import empty_codes, spelt_codes, spelt_moments
from sensorium.table._column import Origin
from sensorium.table._files import Files
from sensorium.table._lists import join_lists
from sensorium.table._notation import Conventions, some_texts
from sensorium.table._origins import name_columns
from sensorium.table._plain import converted, order_of
from sensorium.table._plain_scalars import NoPlainForm
from sensorium.table._series import join_series
from sensorium.table._source_columns import select_columns
from sensorium.table._sources import read_source
from sensorium.table._table import Table
from sensorium.table._targets import join_origins, join_spelling, join_targets
from sensorium.table._types import narrow, normalise
from sensorium.table._whole import whole
from sensorium.table._windows import cut_windows

PLACEHOLDER = ""  # name of a column that keeps the number of rows of a table without columns


def open_table(
    source: Any,
    config: TableConfig | None = None,
    *,
    folder: Path | None = None,
    text: Collection[str] = (),
    gaps: bool = False,
    expected: Collection[str] = (),
    keep: str | Sequence[str] = (),
    empty: bool = False,
) -> Table:
    """Open a table.

    Sources: a path to CSV, TSV, JSON Lines, Parquet, Arrow, Feather, SQLite, DuckDB or Excel, to a folder of class
    folders or of Parquet parts; the address of one of these (`https://…`, `s3://…`) or of a PostgreSQL database; a
    pandas, polars or pyarrow table; a Hugging Face Dataset or DatasetDict; a dict of columns; rows as dicts,
    dataclasses or named tuples; a dict of cells, which is one row, also if it is empty; a Table, which is returned
    unchanged.

    Args:
        source: the table to read.
        config: encoding, separator, spellings of missing cells, whether paths may leave the folder.
        folder: base of relative file paths; by default the file's own folder, or the working directory.
        text: columns that are read as text even if every cell is a number, because they were text in training.
        gaps: whether source columns of series, windows and several targets may be missing; their values are then gaps.
        expected: columns of the model whose settings these are; settings that do not fit the file are replaced and
            reported.
        keep: columns of the source that `Table.kept_columns` holds unchanged, or `all`.
        empty: whether a table without rows is accepted.

    Raises:
        TableError: the source is not found or not readable, has no rows, has two columns of the same name, or lacks
            columns of series or windows.
        SchemaError: the source lacks a column of `keep`.

    Example:
        >>> from sensorium.table import open_table
        >>> table = open_table({"length": [92, None, 118]})
        >>> table.column("length").present.tolist()
        [True, False, True]
    """
    config = config or TableConfig.model_validate({})
    if isinstance(source, Table):
        kept = select_columns(source.arrow, keep, config.missing, source.name, is_text=False)
        return replace(source, kept_columns=kept)
    read, name, folder, files = read_source(source, config, folder, expected)
    arrow, origins = name_columns(read.arrow if read.checked else whole(read.arrow, name))
    _check(arrow, name, empty=empty)
    bare = all(column in origins and origins[column].index for column in arrow.column_names)
    kept = select_columns(arrow, keep, config.missing, name, is_text=bool(read.separator))
    given, origins = _plain_columns(arrow, config, origins)
    columns, given = _narrowed(given, config, text)
    if arrow.num_rows and not columns:
        columns = {PLACEHOLDER: pa.chunked_array([pa.nulls(arrow.num_rows, pa.string())])}
    spelling = _spelling(columns, given)
    files = files or Files((folder or Path.cwd()).resolve(), config.allow_outside, config.remote)
    columns = join_targets(join_lists(columns, config.lists, name, gaps=gaps), config.targets, name, gaps=gaps)
    origins = {column: origin for column, origin in origins.items() if column not in config.lists}
    origins = join_origins(origins, config.targets)
    table = Table(
        pa.table(columns),
        files,
        name,
        problems=tuple(read.problems),
        spelling=join_spelling(spelling, config.targets, columns),
        conventions=_conventions(read.separator, given, config),
        origins=origins,
        kept_columns=kept,
    )
    table = join_series(table, config.series, gaps=gaps) if config.series else table
    table = _with_missing(table, expected) if bare and len(table) else table
    return cut_windows(table, config.windows, gaps=gaps) if config.windows and len(table) else table


def _narrowed(
    given: Mapping[str, pa.ChunkedArray], config: TableConfig, text: Collection[str]
) -> tuple[dict[str, pa.ChunkedArray], dict[str, pa.ChunkedArray]]:
    """Return the columns with their types, and the cells that they were read from; codes for missing are empty."""
    point = config.decimal != "," and config.thousands != "."
    columns = {column: cells if column in text else narrow(cells, point=point) for column, cells in given.items()}
    return empty_codes(columns, dict(given), config.missing)


def _spelling(
    columns: Mapping[str, pa.ChunkedArray], given: Mapping[str, pa.ChunkedArray]
) -> dict[str, pa.ChunkedArray]:
    """Return the columns of numbers that were read from text, as text."""
    found = {column: cells for column, cells in given.items() if pa.types.is_floating(columns[column].type)}
    return {column: cells for column, cells in found.items() if pa.types.is_string(cells.type)}


def _conventions(separator: str, given: Mapping[str, pa.ChunkedArray], config: TableConfig) -> Conventions:
    """Return the table's number conventions: from the settings, and from its columns of text."""
    codes = tuple(word for word in config.missing if spelt_codes([word]) or spelt_moments([word]))
    texts = some_texts(given.values())
    return Conventions(config.decimal, config.thousands, config.currency, config.censored, codes, separator, texts)


def _plain_columns(
    arrow: pa.Table, config: TableConfig, origins: Mapping[str, Origin]
) -> tuple[dict[str, pa.ChunkedArray], dict[str, Origin]]:
    """Convert columns to known types; columns of other types are missing in every row, and reported."""
    columns, found = dict[str, pa.ChunkedArray](), dict(origins)
    for field, cells in zip(arrow.schema, arrow.columns, strict=True):
        name = field.name
        try:
            columns[name] = normalise(cells, config.missing, field.metadata)
            said: dict[str, Any] = {"converted": converted(cells.type), "order": order_of(cells)}
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


def _with_missing(table: Table, expected: Collection[str]) -> Table:
    """Add the model's columns, without any value, to rows that have no column but an index.

    Raises:
        TableError: there is neither a column nor a model.
    """
    if {*expected} & {*table.columns}:
        return table
    arrow = table.arrow.select([name for name in table.columns if name != PLACEHOLDER])
    if not (expected or arrow.num_columns):
        raise TableError(f"the table has {count(len(table), 'row')} without a column", place=table.name)
    nothing = {name: pa.nulls(len(table), pa.string()) for name in sorted(expected)}
    columns = dict(zip(arrow.column_names, arrow.columns, strict=True))
    return replace(table, arrow=pa.table({**columns, **nothing}))


def _check(arrow: pa.Table, name: str, *, empty: bool) -> None:
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
    if not (arrow.num_rows or empty):
        raise TableError("the table has no rows", place=name)
