"""Cells of a column of series: lists, text that lists numbers, or files, in the notation learned in training."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.findings import Problem, Unreadable, shorten
from sensorium.modalities._encoded import Work
from sensorium.modalities._files import decode_cells, decode_sample
from sensorium.modalities._step_files import SUFFIXES, read_file, text_columns
from sensorium.modalities._steps import Steps, read_list
from sensorium.modalities.date import Date
from sensorium.table import Column, ListNotation, as_lists, is_number_type, spells_lists, spells_numbers

NUMBER = "the cell is a number, not a series"
ONE_LIST = "a cell is a list of steps; in Python, a table of one row is {{{name!r}: [[30.0, 29.5]]}}"
STAMPS_FROM = 20  # files whose timestamps are read to learn their format

Store: TypeAlias = Callable[[int, Steps], None]
Read: TypeAlias = tuple[npt.NDArray[np.bool_], list[Problem]]


@dataclass(frozen=True)
class Stamps:
    """Timestamp format of a column of files.

    Attributes:
        time: the column of timestamps; empty for the first column of dates, if any.
        written: state of `Date`, if timestamps are text; else empty.
        doubtful: whether day and month are ambiguous.
    """

    time: str = ""
    written: dict[str, Any] = field(default_factory=dict)
    doubtful: bool = False


@dataclass(frozen=True)
class CellReader:
    """Reader of the cells of a column."""

    notation: ListNotation
    stamps: Stamps

    def training_cells(self, column: Column) -> list[Steps]:
        """Read all lists, and some evenly spaced files; unreadable ones are reported when the column is encoded."""
        if holds_flat_lists(column):
            lists = as_lists(column.data, column.name, "")
            ends = zip(np.cumsum(lists.lengths), lists.lengths, strict=True)
            return [Steps(lists.values[end - size : end, None]) for end, size in ends if size]
        found = list[Steps]()
        spelt, others = self._parted(column)
        self._read_lists(spelt, lambda row, cell: found.append(cell))
        return found + decode_sample(others, self._file)

    def read(self, column: Column, work: Work, store: Store) -> Read:
        """Pass each cell to `store(row, steps)`; return which cells are present, and the problems."""
        if column.is_number:
            rows = np.flatnonzero(column.present).tolist()
            cure = ONE_LIST.format(name=column.name)
            return np.zeros(len(column), bool), [missing_cell(column, row, NUMBER, cure) for row in rows]
        lists, others = self._parted(column)
        present, problems = self._read_lists(lists, store)
        found, more = decode_cells(others, self._file, work, store)
        return present | found, sorted(problems + more, key=Problem.place)

    @property
    def _file(self) -> Callable[..., Steps]:
        written = self.stamps.written
        return partial(read_file, time=self.stamps.time or None, dates=Date.restore(written, {}) if written else None)

    def _parted(self, column: Column) -> tuple[Column, Column]:
        """Split a column into lists (or list text) and other cells; each result has gaps for the other's cells."""
        none = pa.nulls(len(column), column.data.type)
        if column.is_list:
            return column, replace(column, data=none)
        if not column.is_string:
            return replace(column, data=none), column
        cells = column.data
        spelt = column.present if self.notation.separator else spells_lists(cells) | spells_numbers(cells)
        lists = pa.array(spelt & ~_named_like_files(column))
        parts = pc.if_else(lists, column.data, none), pc.if_else(lists, none, column.data)
        return replace(column, data=parts[0]), replace(column, data=parts[1])

    def _read_lists(self, column: Column, store: Store) -> Read:
        present, problems = np.zeros(len(column), bool), list[Problem]()
        for row, value in enumerate(column.data.to_pylist()):
            try:
                if value is not None:
                    store(row, read_list(self.notation.read(value) if isinstance(value, str) else value))
                    present[row] = True
            except Unreadable as error:
                problems.append(missing_cell(column, row, error.reason, error.cure))
        return present, problems


def learn_stamps(column: Column, time: str | None, *, day_first: bool | None) -> Stamps:
    """Learn the format of timestamps in training files, if they are text and not ISO dates.

    Args:
        column: training rows.
        time: the column of timestamps; by default the first column of dates.
        day_first: whether 01/02/2026 is in February; inferred from the timestamps by default.
    """
    if column.is_list:
        return Stamps(time or "")
    texts = dict[str, list[str]]()
    for file in decode_sample(column, partial(text_columns, time=time), most=STAMPS_FROM):
        for name, cells in file.items():
            texts.setdefault(name, []).extend(cells)
    for name, cells in texts.items():
        stamps = Column(name, pa.array(cells, pa.string()), column.files)
        if Date.looks_like(stamps):
            written = dict(Date.learn(stamps, day_first=day_first).state()[0])
            return Stamps(name, written, day_first is None and _may_be_swapped(stamps))
    return Stamps(time or "")


def _may_be_swapped(stamps: Column) -> bool:
    """Return whether all timestamps are valid, and differ, with day and month swapped."""
    one, other = (Date.learn(stamps, day_first=first).moments(stamps) for first in (True, False))
    return bool(np.isfinite(one).all() and np.isfinite(other).all() and (one != other).any())


def holds_flat_lists(column: Column) -> bool:
    """Return whether the column holds lists of plain numbers, which are encoded all at once."""
    if not column.is_list:
        return False
    item = column.data.type.value_type
    return is_number_type(item)


def _named_like_files(column: Column) -> npt.NDArray[np.bool_]:
    pattern = rf"({'|'.join(map(re.escape, SUFFIXES))})[\s'\"]*$"
    found = pc.match_substring_regex(column.data, pattern, ignore_case=True).fill_null(False)
    return np.asarray(found)


def missing_cell(column: Column, row: int, reason: str, cure: str = "") -> Problem:
    """Report a cell as missing, with the reason."""
    return Problem(row, column.name, f"{reason}: read as missing", cure, shorten(column.data[row].as_py()))
