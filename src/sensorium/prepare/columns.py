"""Encode columns as arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import Choice, Config, check_options
from sensorium.errors import DataError, near_name, same_names
from sensorium.findings import ColumnPlan, Problem, Problems, count
from sensorium.modalities import Encoded, Modality, Work
from sensorium.prepare.store import Store
from sensorium.prepare.streamed import Streamed
from sensorium.registry import modalities
from sensorium.runtime.progress import Reporter
from sensorium.table import Column, RemoteFiles, Table

Rows = npt.NDArray[np.int64]

SHOWN = 5  # names that an error lists


@dataclass(frozen=True)
class Prepared:
    """Columns of a table as arrays, one cell per row.

    Attributes:
        columns: column → arrays and presence.
        problems: cells that could not be used as they are; for streamed columns, those found so far.
    """

    columns: Mapping[str, Encoded | Streamed]
    problems: Problems

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())).present)

    def has_any(self) -> npt.NDArray[np.bool_]:
        """Return bool[n]: whether the row has a value in at least one column."""
        return np.any([encoded.present for encoded in self.columns.values()], axis=0)

    def only(self, names: Iterable[str]) -> Prepared:
        """Return some of the columns."""
        return Prepared({name: self.columns[name] for name in names}, self.problems)


def learn_modality(
    plan: ColumnPlan, column: Column, config: Config, preferred_options: Mapping[str, object] = MappingProxyType({})
) -> Modality:
    """Fit a column's modality, with the options set for the modality and those set for the column (which win).

    Args:
        plan: plan of the column, with its modality.
        column: training rows.
        config: settings; `modalities` has the options.
        preferred_options: options that the column's encoder prefers, unless the settings set them.

    Raises:
        ConfigError: unknown options, wrong types.
    """
    assert plan.modality
    kind = modalities.load(plan.modality)
    options = {**preferred_options, **_options(config, plan.modality), **_options(config, plan.name)}
    checked = check_options(kind.learn, options, f"modality {plan.modality!r} of column {plan.name!r}")
    learnt: Modality = kind.learn(column, **checked)
    return learnt


def prepare_columns(
    table: Table, learnt: Mapping[str, Modality], report: Reporter, store: Store | None = None, *, stream: bool = False
) -> Prepared:
    """Encode every row of the columns in `learnt`; a column that the table lacks is missing in every row.

    Columns that are slow to decode are written to the store or read from it; with `stream`, they are decoded batch by
    batch instead.

    Raises:
        DataError: the table has none of these columns.
    """
    there = [name for name in learnt if name in table]
    if not there:
        renamed = [f"{found!r} → {name!r}" for name in learnt for found in same_names(name, table.columns)]
        raise DataError(
            "the table has none of the model's columns",
            place=table.name,
            rule=f"at least one of {', '.join(learnt)}",
            cure=f"rename {', '.join(renamed[:SHOWN])}" if renamed else "",
        )
    problems = Problems([p for p in table.problems if p.row is not None and p.column in there])
    columns = dict[str, Encoded | Streamed]()
    with report.bar("preparing", len(table) * len(learnt), "cells") as bar:
        for name, modality in learnt.items():
            column = table.column(name) if name in there else _absent(name, table)
            if not modality.cacheable and _mixes_bytes(column):
                problems.extend(_bytes_among_texts(column))
                column = replace(column, data=pc.struct_field(column.data, ["path"]))
            if modality.cacheable:
                _have_files(column, report)
            work = Work(1 if modality.uses_all_cores else os.cpu_count() or 1, bar.advance)
            if stream and modality.cacheable and not modality.uses_all_cores:
                columns[name] = Streamed(modality, column, work.workers)
                bar.advance(len(column))
            elif store and modality.cacheable:
                columns[name] = store.encode(modality, column, work)
            else:
                columns[name] = modality.encode(column, work)
            if name not in there and isinstance(encoded := columns[name], Encoded):
                # To a column of check marks an empty cell is a value, a column that is not there is none.
                columns[name] = replace(encoded, present=np.zeros(len(column), bool))
            problems.extend(columns[name].problems)
    _say_mended(table, report)
    problems.extend(absent_columns(table, learnt))
    problems.extend(unread_columns(table, learnt))
    return Prepared(columns, problems)


def _mixes_bytes(column: Column) -> bool:
    """Return whether bytes are mixed with text; the reader returns such columns as {bytes, path}."""
    kind = column.data.type
    return bool(pa.types.is_struct(kind) and {field.name for field in kind} == {"bytes", "path"})


def _bytes_among_texts(column: Column) -> list[Problem]:
    """Report bytes among the cells of a modality that reads no files."""
    rows = pc.indices_nonzero(pc.is_valid(pc.struct_field(column.data, ["bytes"]))).to_pylist()
    return [
        Problem(row, column.name, "bytes in a column of text: read as missing", "decode them to text") for row in rows
    ]


def _have_files(column: Column, report: Reporter) -> None:
    """Download remote files in parallel before they are decoded."""
    if isinstance(column.files, RemoteFiles):
        with report.bar("fetching", len(column), "files") as bar:
            column.files.fetch(_paths(column), bar.advance)


def _say_mended(table: Table, report: Reporter) -> None:
    """Report files that were damaged in the cache and downloaded again."""
    if mended := table.files.take_mended():
        shown = ", ".join(mended[:SHOWN]) + (" …" if len(mended) > SHOWN else "")
        report.log(f"? {count(len(mended), 'downloaded file')} in the cache damaged, downloaded again: {shown}")


def _paths(column: Column) -> Iterator[str]:
    for cell in column.values.to_pylist():
        if isinstance(cell, dict):
            cell = None if cell.get("bytes") else cell.get("path")
        yield from cell if isinstance(cell, list) else [cell]


def at_rows(problems: Problems, rows: Rows) -> Problems:
    """Return problems with rows counted in the whole table, given the rows that were read."""
    return Problems([problem.at(rows) for problem in problems])


def absent_columns(table: Table, learnt: Mapping[str, Modality]) -> list[Problem]:
    """Report columns that the table lacks, or lacks parts of, with a similar name that the table has."""
    problems = list[Problem]()
    for name in learnt:
        if name not in table:
            near = near_name(name, [other for other in table.columns if other not in learnt])
            rename = f"table.rename(columns={{{near!r}: {name!r}}})"
            cure = f"did you mean {near!r}? If so, rename it: {rename}" if near else ""
            problems.append(Problem(None, name, "the table has no such column: it is missing in every row", cure))
        elif lacking := table.lacks.get(name):
            reason = f"the table has no column {', '.join(lacking)}: missing values in every row"
            problems.append(Problem(None, name, reason))
    return problems


def unread_columns(table: Table, learnt: Mapping[str, Modality]) -> list[Problem]:
    """Report columns of the table whose cells cannot be read, or not completely."""
    problems = list[Problem]()
    for name in learnt:
        origin = table.column(name).origin if name in table else None
        if origin and origin.unread:
            reason = f"the column has {origin.unread}, which cannot be read: it is missing in every row"
            problems.append(Problem(None, name, reason, origin.cure or "convert it to text or numbers"))
        elif origin and origin.lost:
            problems.append(Problem(None, name, origin.lost))
    return problems


def _absent(name: str, table: Table) -> Column:
    return Column(name, pa.nulls(len(table), pa.string()), table.files)


def _options(config: Config, key: str) -> dict[str, object]:
    return config.modalities.get(key, Choice()).options
