"""Time series: lists of numbers or small files, of any length, with gaps that are marked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import PositiveInt

from sensorium.modalities._base import Encoded, Facts, Modality, Ragged, Work
from sensorium.modalities._files import LEARN_FROM, decode_cells, decode_sample, looks_like_files, sample_rows
from sensorium.modalities._overview import Overview, outline
from sensorium.modalities._steps import EMPTY, NPY, SUFFIXES, Steps, holds_numbers, read_file, read_list
from sensorium.modalities.number import mean_and_deviation, standardise
from sensorium.problems import Problem, Unreadable, shorten
from sensorium.schema import Guess
from sensorium.table import Column, as_lists, spells_lists, spelt_list

SHOWN = 4  # curves in an overview
LONGEST = 1024  # steps kept of a series by default, at most
BLANK = "a series without a number among its last"
SPELT = 0.9  # share of a text column's cells that spell lists of numbers
CORRELATED = 0.3  # median lag-1 autocorrelation above which neighbouring numbers are neighbours in time
NAMES = re.compile(r"series|price|return|signal|history|sensor|waveform|trace|_\d+d$", re.IGNORECASE)

Floats: TypeAlias = npt.NDArray[np.float64]
Read: TypeAlias = tuple[npt.NDArray[np.bool_], list[Problem]]


@dataclass(frozen=True)
class Series(Modality):
    """Numbers in the order of time: a list, a list of lists (steps × channels), a text that spells one in JSON, or a
    CSV, Parquet or NPY file.

    Encodes to Ragged float32[total steps, 2 × channels]: the standardised values, at most ±a million, then a mark each,
    1 where the value is known. A gap (null, NaN, ±inf) is 0 with the mark 0, as is what lies before a series began.
    The steps of a file with time stamps are sorted by them.

    Attributes:
        channels: values of a step.
        steps: what is kept of a series, its *last* steps: what is recent matters.
        scale: `column`: by the training rows; `cell`: each series by its own mean and deviation, so that only its
            shape is left.
        names: columns read of a CSV or Parquet file, in this order; empty where cells have no names.
        mean, deviation: float64[channels], of the training rows; deviation is 1 for a constant channel.
        time: column of CSV and Parquet files that holds time stamps; empty: the first one of dates, if any.
        since: the last channel is the time since the step before.
    """

    encoder: ClassVar[str] = "gru"

    channels: int
    steps: int
    scale: str
    names: list[str]
    mean: Floats
    deviation: Floats
    time: str = ""
    since: bool = False

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if column.is_string and _spells_series(column):
            sign = _sign_of_time(column.name, _spelt_sample(column))
            reason = f"text that spells lists of numbers {sign}" if sign else "text that spells as many numbers each"
            return Guess(0.97 if sign else 0.9, reason)
        if not column.is_list:
            return looks_like_files(column, SUFFIXES, lambda head: head.startswith(NPY), "series")
        if not _lists_numbers(column.data.type) or not len(column.values):
            return None
        sign = _sign_of_time(column.name, [read_list(cell) for cell in column.sample(LEARN_FROM) if cell])
        return Guess(0.85, f"lists of numbers {sign}") if sign else Guess(0.6, "lists of as many numbers each")

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        steps: PositiveInt | None = None,
        scale: Literal["column", "cell"] = "column",
        channels: list[str] | None = None,
        time: str | None = None,
        since: bool = False,
    ) -> Self:
        """Args:
        column: training rows.
        steps: kept of a series, its last ones; by default as many as the longest training series has, at most 1,024.
        scale: standardise by the training rows, or each series by itself (its level and spread are lost).
        channels: columns to read of CSV and Parquet files; by default those of numbers in the first training file.
        time: column of such files that holds time stamps: dates, or numbers; by default the first one of dates.
        since: take the time since the step before (seconds, or the unit of numbers) as one more channel.
        """
        cells = _training_cells(column, time)
        names = channels or next((list(cell.names) for cell in cells if cell.names), [])
        found = _selected(cells, names, since=since)
        width = Counter(values.shape[1] for values in found).most_common(1)[0][0] if found else max(1, len(names))
        found = [values for values in found if values.shape[1] == width]
        steps = steps or min(LONGEST, max(map(len, found), default=1))
        joined = np.concatenate([np.zeros((0, width)), *(values[-steps:] for values in found)])
        statistics = [mean_and_deviation(channel[np.isfinite(channel)]) for channel in joined.T]
        mean, deviation = np.array(statistics, np.float64).reshape(width, 2).T.copy()
        return cls(width, steps, scale, list(names), mean, deviation, time or "", since)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        if self.channels == 1 and self.scale == "column" and not self.since and _holds_flat_lists(column):
            return self._encode_flat(column, work)
        empty = np.empty((0, 2 * self.channels), np.float32)
        cells, infinite = [empty] * len(column), np.zeros(len(column), bool)

        def store(row: int, cell: Steps) -> None:
            values = self._checked(cell)
            cells[row], infinite[row] = self._scaled(values), bool(np.isinf(values).any())

        present, problems = _read_cells(column, work, store, self.time)
        return Encoded(Ragged.of(cells, empty), present, problems + _tell_infinite(column, infinite))

    def _encode_flat(self, column: Column, work: Work) -> Encoded:
        """All cells at once: millions of windows have no time for a turn each."""
        lists = as_lists(column.data, column.name, "")
        kept = np.minimum(lists.lengths, self.steps)
        cell = np.repeat(np.arange(len(column)), kept)
        starts = np.cumsum(lists.lengths) - kept  # places of the first steps that are kept
        values = lists.values[np.arange(len(cell)) + np.repeat(starts - np.cumsum(kept) + kept, kept)]
        numbers = np.bincount(cell[np.isfinite(values)], minlength=len(column))
        infinite = (np.bincount(cell[np.isinf(values)], minlength=len(column)) > 0) & (numbers > 0)
        present = numbers > 0
        problems = [
            _tell(column, row, EMPTY if lists.lengths[row] == 0 else f"{BLANK} {self.steps} steps")
            for row in np.flatnonzero(lists.present & ~present).tolist()
        ]
        lengths = np.where(present, kept, 0)
        scaled = self._scaled(values[present[cell], None])
        work.advance(len(column))
        ragged = Ragged(scaled, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
        return Encoded(ragged, present, problems + _tell_infinite(column, infinite))

    def _checked(self, cell: Steps) -> Floats:
        """float64[steps, channels]: the last steps."""
        values = _channels(cell, self.names, since=self.since)
        if values.shape[1] != self.channels:
            raise Unreadable(f"a series of {values.shape[1]} channels where {self.channels} were learnt")
        values = values[-self.steps :]
        if not np.isfinite(values).any():
            raise Unreadable(f"{BLANK} {self.steps} steps")
        return values

    def _scaled(self, values: Floats) -> npt.NDArray[np.float32]:
        known = np.isfinite(values)
        mean, deviation = self.mean, self.deviation
        if self.scale == "cell":
            own = [mean_and_deviation(channel[np.isfinite(channel)]) for channel in values.T]
            mean, deviation = np.array(own).T
        filled = standardise(np.where(known, values, 0), mean, deviation)
        return np.concatenate([np.where(known, filled, 0), known], 1).astype(np.float32)

    def facts(self) -> Facts:
        return {"channels": self.channels, "steps": self.steps}

    def overview(self, column: Column) -> Overview:
        rows = sample_rows(column, LEARN_FROM)
        found = self.encode(column.take(rows))
        cells = {int(row): found.values[place] for place, row in enumerate(rows) if found.present[place]}
        steps = np.array([len(cell) for cell in cells.values()], np.float64)
        curves = {row: outline(cell[:, 0]) for row, cell in list(cells.items())[:: max(1, len(cells) // SHOWN)][:SHOWN]}
        return Overview({"length in steps": steps}, curves=curves)

    def describe(self) -> str:
        named = f" ({', '.join(self.names)})" if self.names else ""
        named += ", the last of them the time since the step before" * self.since
        return f"{self.channels} channel{'s' * (self.channels > 1)}{named}, at most the last {self.steps:,} steps"


def _holds_flat_lists(column: Column) -> bool:
    return column.is_list and _plain(column.data.type.value_type)


def _plain(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _lists_numbers(kind: pa.DataType) -> bool:
    """Is it a list of numbers, or a list of such lists?"""
    item = kind.value_type
    item = item.value_type if pa.types.is_list(item) else item
    return holds_numbers(item) and not pa.types.is_null(item)


def _spells_series(column: Column) -> bool:
    """Do nine in ten cells spell a list of numbers?"""
    looked = min(LEARN_FROM, len(column.values))
    return bool(looked) and len(_spelt_sample(column)) >= SPELT * looked


def _spelt_sample(column: Column) -> list[Steps]:
    found = []
    for text in column.sample(LEARN_FROM):
        with suppress(Unreadable):
            found.append(_read_spelt(text))
    return found


def _read_spelt(text: str) -> Steps:
    if not text.lstrip().startswith("["):
        raise Unreadable("text that spells no list")
    if '"' in text:
        raise Unreadable("a list of what is no number")  # NumPy would read "1.5" as one
    return read_list(spelt_list(text))


def _sign_of_time(name: str, sample: list[Steps]) -> str:
    """What tells that the places of a list are steps in time; empty where nothing does."""
    if any(cell.values.shape[1] > 1 for cell in sample):
        return "at each step"
    if NAMES.search(name):
        return "in a column called like a series"
    if len({len(cell.values) for cell in sample}) > 1:
        return "of unequal lengths"
    found = [_autocorrelation(cell.values[:, 0]) for cell in sample]
    return "whose neighbours are alike" if found and np.median(found) > CORRELATED else ""


def _autocorrelation(values: Floats) -> float:
    """At lag 1, of the finite values; 0 where they don't differ."""
    values = values[np.isfinite(values)]
    values = values / max(1.0, float(np.abs(values).max(initial=0)))  # so that squares of huge numbers stay finite
    values = values - values.mean() if len(values) else values
    power = float(values @ values)
    return float(values[:-1] @ values[1:]) / power if power > 0 else 0.0


def _training_cells(column: Column, time: str | None) -> list[Steps]:
    """Every list, and some evenly spaced files; what can't be read is told, with its row, when it is encoded."""
    if _holds_flat_lists(column):
        lists = as_lists(column.data, column.name, "")
        ends = np.cumsum(lists.lengths)
        return [
            Steps(lists.values[end - size : end, None]) for end, size in zip(ends, lists.lengths, strict=True) if size
        ]
    found = list[Steps]()
    spelt, others = _parted(column)
    _read_lists(spelt, lambda row, cell: found.append(cell))
    return found + decode_sample(others, partial(read_file, time=time))


def _selected(cells: list[Steps], names: list[str], *, since: bool) -> list[Floats]:
    found = []
    for cell in cells:
        with suppress(Unreadable):
            found.append(_channels(cell, names, since=since))
    return found


def _channels(cell: Steps, names: list[str], *, since: bool) -> Floats:
    values = cell.select(names)
    return np.concatenate([values, cell.since()], 1) if since else values


def _read_cells(column: Column, work: Work, store: Callable[[int, Steps], None], time: str) -> Read:
    lists, others = _parted(column)
    present, problems = _read_lists(lists, store)
    found, more = decode_cells(others, partial(read_file, time=time or None), work, store)
    return present | found, sorted(problems + more, key=Problem.place)


def _parted(column: Column) -> tuple[Column, Column]:
    """The cells that are lists, or text that spells some, and the others; where one has a cell, the other has a gap."""
    none = pa.nulls(len(column), column.data.type)
    if column.is_list:
        return column, replace(column, data=none)
    if not column.is_string:
        return replace(column, data=none), column
    lists = pa.array(spells_lists(column.data) & ~_named_like_files(column))
    spelt, others = pc.if_else(lists, column.data, none), pc.if_else(lists, none, column.data)
    return replace(column, data=spelt), replace(column, data=others)


def _named_like_files(column: Column) -> npt.NDArray[np.bool_]:
    pattern = f"({'|'.join(map(re.escape, SUFFIXES))})$"
    found = pc.match_substring_regex(column.data, pattern, ignore_case=True).fill_null(False)
    return np.asarray(found)


def _read_lists(column: Column, store: Callable[[int, Steps], None]) -> Read:
    present, problems = np.zeros(len(column), bool), list[Problem]()
    for row, value in enumerate(column.data.to_pylist()):
        try:
            if value is not None:
                store(row, _read_spelt(value) if isinstance(value, str) else read_list(value))
                present[row] = True
        except Unreadable as error:
            problems.append(_tell(column, row, error.reason, error.cure))
    return present, problems


def _tell(column: Column, row: int, reason: str, cure: str = "") -> Problem:
    return Problem(row, column.name, f"{reason}: read as missing", cure, shorten(column.data[row].as_py()))


def _tell_infinite(column: Column, infinite: npt.NDArray[np.bool_]) -> list[Problem]:
    reason = "a series with infinite values: read as gaps"
    rows = map(int, np.flatnonzero(infinite))
    return [Problem(row, column.name, reason, "", shorten(column.data[row].as_py())) for row in rows]
