"""Time series: lists of numbers or small files of any length; gaps are marked."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, NonNegativeInt

from sensorium.config import Many, set_option, setting_of
from sensorium.findings import Guess, Problem, Unreadable, shorten
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._encoded import Encoded, Ragged, Work
from sensorium.modalities._encoder_advice import EncoderAdvice, advise_series
from sensorium.modalities._fields import Decimal, check_scale
from sensorium.modalities._files import LEARN_FROM, looks_like_files, sample_rows
from sensorium.modalities._lists import guess_of_lists, learn_list_notation
from sensorium.modalities._overview import Overview, outline
from sensorium.modalities._scale import mean_and_deviation, standardise
from sensorium.modalities._series_cells import CellReader, Stamps, holds_flat_lists, learn_stamps, missing_cell
from sensorium.modalities._step_files import NPY, SUFFIXES
from sensorium.modalities._steps import EMPTY, Steps
from sensorium.modalities.date import Date
from sensorium.table import Column, Floats, ListNotation, as_lists

SHOWN = 4  # curves in an overview
LONGEST = 2048  # steps kept of a series by default, at most: recurrent encoders are slow on long ones
BLANK = "the series has no number in its last"


@dataclass(frozen=True)
class Series(Modality):
    """A time series: a list of numbers, a list of lists (steps × channels), text that lists numbers ("[0.1, 2]",
    "0.1;2"), or a CSV, Parquet or NPY file.

    Encodes to Ragged float32[total steps, 2 × channels]: the standardized values, clipped to ±a million, then a mask,
    1 where the value is known. A gap (null, NaN, ±inf) is 0 with mask 0, as are steps before a series began.
    The steps of a file with timestamps are sorted by them.

    Attributes:
        channels: number of values per step.
        steps: steps kept of a series, the *last* ones: recent values matter most.
        scale: `column`: standardize with the training rows; `cell`: each series with its own mean and deviation, which
            keeps only its shape.
        names: columns read from a CSV or Parquet file, in this order; empty if cells have no names.
        mean, deviation: float64[channels], of the training rows; deviation is 1 for a constant channel.
        time: column of timestamps in CSV and Parquet files; empty for the first column of dates, if any.
        since: whether the last channel is the time since the previous step.
        separator, decimal: how text lists numbers; no separator: in brackets.
        stamps: what `Date` learned of the timestamps if they are text.
        doubtful: whether day and month are ambiguous.
        cut, seen: number of training series longer than `steps`, and of all.
    """

    encoder: ClassVar[str] = "gru"

    channels: Many
    steps: Many
    scale: Literal["column", "cell"]
    names: list[str]
    mean: Floats
    deviation: Floats
    time: str = ""
    since: bool = False
    separator: str = ""
    decimal: Decimal = "."
    stamps: dict[str, Any] = field(default_factory=dict)
    doubtful: bool = False
    cut: NonNegativeInt = 0
    seen: NonNegativeInt = 0

    def check(self) -> None:
        check_scale(self.mean, self.deviation, self.channels)
        if self.names and len(self.names) + self.since != self.channels:
            raise ValueError(f"{self.channels} channels do not match the names {self.names}")
        if self.stamps:
            Date.restore(self.stamps, {})

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        found = guess_of_lists(column, "series")
        if found or column.is_list:
            return found
        return looks_like_files(column, SUFFIXES, lambda head: head.startswith(NPY), "series")

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        steps: Many | None = None,
        scale: Literal["column", "cell"] = "column",
        channels: list[str] | None = None,
        time: str | None = None,
        since: bool = False,
        day_first: bool | None = None,
        separator: Annotated[str, Field(min_length=1)] | None = None,
        decimal: Literal[".", ","] | None = None,
    ) -> Self:
        """Learn the channels, their scale, and the length kept.

        Args:
            column: training rows.
            steps: steps kept of a series, the last ones; by default those of the longest training series, at most
                2,048.
            scale: standardize with the training rows (column), or each series with its own level and spread (cell).
            channels: columns to read from CSV and Parquet files; by default the number columns of the first training
                file.
            time: column of timestamps in such files (dates or numbers); by default the first column of dates.
            since: add the time since the previous step (seconds, or the unit of the numbers) as a channel.
            day_first: whether the timestamp 01/02/2026 is in February; inferred from the training files by default.
            separator: separator of numbers in text without brackets; inferred from the training rows by default.
            decimal: decimal mark of such numbers; inferred from the training rows by default.
        """
        stamps = learn_stamps(column, time, day_first=day_first)
        notation = learn_list_notation(column, separator, decimal)
        cells = CellReader(notation, stamps).training_cells(column)
        names = channels or next((list(cell.names) for cell in cells if cell.names), [])
        found = _selected(cells, names, since=since)
        width = Counter(values.shape[1] for values in found).most_common(1)[0][0] if found else max(1, len(names))
        found = [values for values in found if values.shape[1] == width]
        steps = steps or min(LONGEST, max(map(len, found), default=1))
        joined = np.concatenate([np.zeros((0, width)), *(values[-steps:] for values in found)])
        statistics = [mean_and_deviation(channel[np.isfinite(channel)]) for channel in joined.T]
        mean, deviation = np.array(statistics, np.float64).reshape(width, 2).T.copy()
        return cls(
            width,
            steps,
            scale,
            list(names),
            mean,
            deviation,
            stamps.time,
            since,
            notation.separator,
            notation.decimal,
            stamps.written,
            stamps.doubtful,
            sum(len(values) > steps for values in found),
            len(found),
        )

    @property
    def _reader(self) -> CellReader:
        return CellReader(ListNotation(self.separator, self.decimal), Stamps(self.time, self.stamps))

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        if self.channels == 1 and self.scale == "column" and not self.since and holds_flat_lists(column):
            return self._encode_flat(column, work)
        empty = np.empty((0, 2 * self.channels), np.float32)
        cells, infinite = [empty] * len(column), np.zeros(len(column), bool)

        def store(row: int, cell: Steps) -> None:
            values = self._checked(cell)
            cells[row], infinite[row] = self._scaled(values), bool(np.isinf(values).any())

        present, problems = self._reader.read(column, work, store)
        return Encoded(Ragged.of(cells, empty), present, problems + _infinite_problems(column, infinite))

    def _encode_flat(self, column: Column, work: Work) -> Encoded:
        """Encode all cells at once: reading millions of windows one by one would be slow."""
        lists = as_lists(column.data, column.name, "")
        kept = np.minimum(lists.lengths, self.steps)
        cell = np.repeat(np.arange(len(column)), kept)
        starts = np.cumsum(lists.lengths) - kept  # positions of the first steps that are kept
        values = lists.values[np.arange(len(cell)) + np.repeat(starts - np.cumsum(kept) + kept, kept)]
        numbers = np.bincount(cell[np.isfinite(values)], minlength=len(column))
        infinite = (np.bincount(cell[np.isinf(values)], minlength=len(column)) > 0) & (numbers > 0)
        present = numbers > 0
        problems = [
            missing_cell(column, row, EMPTY if lists.lengths[row] == 0 else f"{BLANK} {self.steps} steps")
            for row in np.flatnonzero(lists.present & ~present).tolist()
        ]
        lengths = np.where(present, kept, 0)
        scaled = self._scaled(values[present[cell], None])
        work.advance(len(column))
        ragged = Ragged(scaled, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
        return Encoded(ragged, present, problems + _infinite_problems(column, infinite))

    def _checked(self, cell: Steps) -> Floats:
        """Return float64[steps, channels]: the last steps."""
        values = _channels(cell, self.names, since=self.since)
        if values.shape[1] != self.channels:
            raise Unreadable(f"the series has {values.shape[1]} channels instead of {self.channels}")
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

    def encoder_spec(self) -> EncoderSpec:
        return {"channels": self.channels, "steps": self.steps}

    def advise_encoder(self, column: Column, rows: int) -> EncoderAdvice | None:
        return advise_series(self.steps)

    def overview(self, column: Column) -> Overview:
        rows = sample_rows(column, LEARN_FROM)
        found = self.encode(column.take(rows))
        cells = {int(row): found.values[place] for place, row in enumerate(rows) if found.present[place]}
        steps = np.array([len(cell) for cell in cells.values()], np.float64)
        curves = {row: outline(cell[:, 0]) for row, cell in list(cells.items())[:: max(1, len(cells) // SHOWN)][:SHOWN]}
        return Overview({"length in steps": steps}, curves=curves)

    def findings(self, column: str) -> list[Problem]:
        found = []
        if self.cut:
            reason = f"{self.cut:,} of {self.seen:,} series are longer than {self.steps:,} steps"
            setting = f"a larger {setting_of(column, 'steps')} keeps more"
            found.append(Problem(None, column, f"{reason}: only their last steps are read", setting))
        if self.doubtful:
            form = self.stamps.get("format", "dates")
            reason = f"the timestamps of {self.time!r} are read as {form}, but the order is ambiguous"
            found.append(Problem(None, column, reason, set_option(column, "day_first", "false")))
        return found

    def describe(self) -> str:
        named = f" ({', '.join(self.names)})" if self.names else ""
        named += ", one of them the time since the previous step" * self.since
        return f"{self.channels} channel{'s' * (self.channels > 1)}{named}, up to {self.steps:,} steps (the last ones)"


def _selected(cells: list[Steps], names: list[str], *, since: bool) -> list[Floats]:
    found = []
    for cell in cells:
        with suppress(Unreadable):
            found.append(_channels(cell, names, since=since))
    return found


def _channels(cell: Steps, names: list[str], *, since: bool) -> Floats:
    values = cell.select(names)
    return np.concatenate([values, cell.since()], 1) if since else values


def _infinite_problems(column: Column, infinite: npt.NDArray[np.bool_]) -> list[Problem]:
    reason = "the infinite values of the series are read as gaps"
    rows = map(int, np.flatnonzero(infinite))
    return [Problem(row, column.name, reason, "", shorten(column.data[row].as_py())) for row in rows]
