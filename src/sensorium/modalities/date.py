"""Dates and times: their place on the time line, and in the year, the week and the day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.modalities._base import Encoded, Facts, Modality, Work
from sensorium.modalities._overview import Overview
from sensorium.problems import Problem, shorten
from sensorium.schema import Guess
from sensorium.table import Column

ISO = "ISO 8601"
DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S")
MONTH_FIRST = ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S")
NAMED = ("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日")
FORMATS = (ISO, *NAMED, *DAY_FIRST, *MONTH_FIRST)
DAY = 86_400.0  # seconds
YEAR = 365.2425 * DAY
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_WEEKDAY = 3 * DAY  # 1 January 1970 was a Thursday

Seconds = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Date(Modality):
    """A day, or a day and time of day; times without a zone are taken as UTC.

    Encodes to float32[n, 5], or [n, 7] with time of day: standardised seconds, then sine and cosine of the
    place in the year, the week (and the day).

    Attributes:
        format: `ISO 8601` or a strptime format, for columns of text.
        mean, deviation: of the training rows, in seconds since 1970.
        clock: some training value has a time of day.
    """

    encoder: ClassVar[str] = "tabular"
    tower: ClassVar[str | None] = "tabular"

    format: str
    mean: float
    deviation: float
    clock: bool

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if pa.types.is_date(column.data.type) or pa.types.is_timestamp(column.data.type):
            return Guess(1.0, f"Arrow type {column.data.type}")
        if not column.is_string:
            return None
        sample = column.sample(300)
        best = _best_format(sample)
        fitting = [value for value in sample if _parse(value, best) is not None]
        if not sample or len(fitting) < 0.9 * len(sample):
            return None
        caution = ""
        if best in DAY_FIRST:
            twin = MONTH_FIRST[DAY_FIRST.index(best)]
            if all(_parse(value, twin) is not None for value in fitting):
                caution = f"day first or month first? read as day first; else modalities.{column.name}.day_first=false"
        return Guess(0.99, f"text such as {fitting[0]!r} ({best})", caution)

    @classmethod
    def learn(cls, column: Column, *, day_first: bool | None = None) -> Self:
        """Args:
        column: training rows.
        day_first: whether 01/02/2026 is in February; read off the values by default.
        """
        best = ISO
        if column.is_string:
            rejected = {True: MONTH_FIRST, False: DAY_FIRST, None: ()}[day_first]
            best = _best_format(column.sample(2000), [f for f in FORMATS if f not in rejected])
        seconds, _ = _seconds(column, best)
        seconds = seconds[np.isfinite(seconds)]
        mean = float(seconds.mean()) if len(seconds) else 0.0
        deviation = (float(seconds.std()) if len(seconds) else 0.0) or 1.0
        return cls(best, mean, deviation, bool((seconds % DAY != 0).any()))

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        seconds, problems = _seconds(column, self.format)
        present = np.isfinite(seconds)
        seconds = np.where(present, seconds, self.mean)
        angles = [seconds / YEAR, (seconds + EPOCH_WEEKDAY) / (7 * DAY), *([seconds / DAY] if self.clock else [])]
        waves = [wave(2 * np.pi * angle) for angle in angles for wave in (np.sin, np.cos)]
        features = np.stack([(seconds - self.mean) / self.deviation, *waves], 1) * present[:, None]
        work.advance(len(column))
        return Encoded(features.astype(np.float32), present, problems)

    def moments(self, column: Column) -> Seconds:
        """float64[n]: seconds since 1970, NaN where a cell is missing or no date."""
        return _seconds(column, self.format)[0]

    def facts(self) -> Facts:
        return {"floats": 7 if self.clock else 5}

    def overview(self, column: Column) -> Overview:
        seconds, _ = _seconds(column, self.format)
        return Overview({"date": seconds[np.isfinite(seconds)]})

    def describe(self) -> str:
        return f"{self.format}, around {EPOCH.fromtimestamp(self.mean, UTC):%Y-%m-%d}"


def _best_format(values: list[str], formats: list[str] | tuple[str, ...] = FORMATS) -> str:
    return max(formats, key=lambda form: sum(_parse(value, form) is not None for value in values))


def _parse(text: str, form: str) -> float | None:
    """Seconds since 1970, None where the text is not of the format."""
    read: Callable[[str], datetime] = datetime.fromisoformat if form == ISO else lambda t: datetime.strptime(t, form)
    try:
        if form == ISO and len(text.strip()) < len("2026-01-31"):
            return None  # bare digits such as 20260131 or 2026 are numbers first
        moment = read(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _seconds(column: Column, form: str) -> tuple[Seconds, list[Problem]]:
    if not column.is_string:
        return _seconds_of_arrow(column)
    problems, cache = list[Problem](), dict[str, float | None]()
    seconds = np.full(len(column), np.nan)
    for row, text in enumerate(column.data.to_pylist()):
        if text is None or not text.strip():
            continue
        if text not in cache:
            cache[text] = _parse(text, form) if _parse(text, form) is not None else _parse(text, ISO)
        if (moment := cache[text]) is None:
            problems.append(Problem(row, column.name, f"not a date ({form}): read as missing", "", shorten(text)))
        else:
            seconds[row] = moment
    return seconds, problems


def _seconds_of_arrow(column: Column) -> tuple[Seconds, list[Problem]]:
    if not (pa.types.is_date(column.data.type) or pa.types.is_timestamp(column.data.type)):
        reason = "not a date: read as missing"
        rows = np.flatnonzero(column.present)
        problems = [Problem(int(r), column.name, reason, "", shorten(column.data[int(r)].as_py())) for r in rows]
        return np.full(len(column), np.nan), problems
    micro = column.data.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    return np.array(micro.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)) / 1e6, []
