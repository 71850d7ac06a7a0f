"""Encode columns as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from sensorium.errors import DataError, list_names, same_names
from sensorium.findings import Problems
from sensorium.modalities import Encoded, Modality, Work
from sensorium.prepare._file_cells import SHOWN, bytes_among_texts, fetch_files, mixes_bytes, report_mended
from sensorium.prepare.lacking import absent_column, absent_columns, unread_columns
from sensorium.prepare.packed import PackedColumns, pack_columns
from sensorium.prepare.store import Store
from sensorium.prepare.streamed import Streamed
from sensorium.runtime.cpus import usable_cpus
from sensorium.runtime.progress import Reporter
from sensorium.table import Rows, Table


@dataclass(frozen=True)
class Prepared:
    """Columns of a table as arrays, one cell per row.

    Attributes:
        columns: column → arrays and presence.
        problems: cells that could not be used as they are; for streamed columns, those found so far.
        packed: arrays that hold several of the columns, whose own arrays are views of them.
    """

    columns: Mapping[str, Encoded | Streamed]
    problems: Problems
    packed: Sequence[PackedColumns] = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())).present)

    def has_any(self) -> npt.NDArray[np.bool_]:
        """Return bool[n]: whether the row has a value in at least one column."""
        found = np.zeros(len(self), bool)
        for encoded in self.columns.values():
            found |= encoded.present
        return found

    def only(self, names: Iterable[str]) -> Prepared:
        """Return some of the columns."""
        names = list(names)
        if names == list(self.columns):
            return self
        packed = [part for whole in self.packed if (part := whole.only(names)) is not None]
        return Prepared({name: self.columns[name] for name in names}, self.problems, packed)

    def replaced(self, columns: Mapping[str, Encoded | Streamed]) -> Prepared:
        """Replace the arrays of some columns."""
        rest = [name for name in self.columns if name not in columns]
        packed = [part for whole in self.packed if (part := whole.only(rest)) is not None]
        return Prepared({**self.columns, **columns}, self.problems, packed)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: arrays that are packed once."""
        inside = {name for packed in self.packed if packed.places is None for name in packed.columns}
        nothing = np.zeros(0, bool)
        bare = {
            name: Encoded(nothing, nothing, column.problems) if name in inside else column
            for name, column in self.columns.items()
        }
        return {"columns": bare, "problems": self.problems, "packed": self.packed}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        columns = dict(state["columns"])
        for packed in state["packed"]:
            if packed.places is None:
                for name, (values, present) in packed.arrays().items():
                    columns[name] = replace(columns[name], values=values, present=present)
        self.__dict__.update(state, columns=columns)


def prepare_columns(
    table: Table, learnt: Mapping[str, Modality], report: Reporter, store: Store | None = None, *, stream: bool = False
) -> Prepared:
    """Encode every row of the columns in `learnt`; a column that the table lacks is missing in every row.

    Columns that are slow to decode are written to the store or read from it; with `stream`, they are decoded batch by
    batch instead.

    Raises:
        DataError: the table has none of these columns.
    """
    there, cpus = {*check_some_column(table, learnt)}, usable_cpus()  # once: it reads the files of cgroups
    problems = Problems([p for p in table.problems if p.row is not None and p.column in there])
    columns = dict[str, Encoded | Streamed]()
    with report.bar("preparing", len(table) * len(learnt), "cells") as bar:
        for name, modality in learnt.items():
            column = table.column(name) if name in there else absent_column(name, table)
            if not modality.cacheable and mixes_bytes(column):
                problems.extend(bytes_among_texts(column))
                column = replace(column, data=pc.struct_field(column.data, ["path"]))
            if modality.cacheable:
                fetch_files(column, report)
            work = Work(1 if modality.uses_all_cores else cpus, bar.advance)
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
    report_mended(table, report)
    problems.extend(absent_columns(table, learnt))
    problems.extend(unread_columns(table, learnt))
    packed = pack_columns(columns, learnt)
    return Prepared(columns, problems, packed)


def check_some_column(table: Table, learnt: Mapping[str, Modality]) -> list[str]:
    """Return the columns of the model that the table has.

    Raises:
        DataError: the table has none of them.
    """
    there = [name for name in learnt if name in table]
    if not there:
        renamed = [f"{found!r} → {name!r}" for name in learnt for found in same_names(name, table.columns)]
        raise DataError(
            "the table has none of the model's columns",
            place=table.name,
            rule=f"at least one of {list_names([*learnt])}",
            cure=f"rename {', '.join(renamed[:SHOWN])}" if renamed else "",
        )
    return there


def at_rows(problems: Problems, rows: Rows) -> Problems:
    """Translate the row numbers of problems from the rows that were read to the whole table."""
    return Problems([problem.at(rows) for problem in problems])
