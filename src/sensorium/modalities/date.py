"""Dates and times: their position on the time axis, in the year, in the week and in the day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat

from sensorium.config import Words
from sensorium.findings import Guess, Problem
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._beyond import beyond_problems, check_span, far_beyond, span_of
from sensorium.modalities._date_cells import DateReader, Seconds
from sensorium.modalities._date_claims import claim_dates
from sensorium.modalities._date_problems import notes_on_counts
from sensorium.modalities._encoded import Encoded, Work
from sensorium.modalities._fields import Moment
from sensorium.modalities._outside import centuries_away
from sensorium.modalities._overview import Overview
from sensorium.modalities._sentinels import date_sentinels, sentinel_note
from sensorium.modalities._stamp_units import NAMES, Unit
from sensorium.modalities._stamps import claim_stamps, likely_unit
from sensorium.modalities._zones import all_zoned
from sensorium.table import DATE_ORDERS, PIVOT, Column, SpeltDates, date_order, read_dates, spelt_moments

ISO = "ISO 8601"
DAY = 86_400.0  # seconds
YEAR = 365.2425 * DAY
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_WEEKDAY = 3 * DAY  # 1 January 1970 was a Thursday
BORN = re.compile(r"birth|born|dob|geb|naiss|nacim|nasc", re.IGNORECASE)
FARTHEST = 1e15  # standard deviations from the mean: no limit
BIRTH_PIVOT = 30  # no date of birth is in 2045
COUNTED = {"doubtful", "two digits", "coarse", "zoneless", "far", "zero"}
ORDER = f"^({'|'.join(DATE_ORDERS)})?$"


@dataclass(frozen=True)
class Date(Modality):
    """A day, or a day with a time; times without a zone are read as UTC.

    Encodes to float32[n, 5], or [n, 7] with time of day: standardized seconds, then sine and cosine of the position in
    the year, the week (and the day).

    Attributes:
        format: how most of the training cells are written, for display; a strptime format in models of older versions.
        mean, deviation: of the training rows, in seconds since 1970.
        clock: whether some training value has a time of day.
        order: `dmy`, `mdy` or `ymd`; empty if no training cell needs it.
        pivot: two-digit years from this one on are in the 1900s, others in the 2000s.
        unit: unit of numbers counted from 1970; empty for digits such as 20260131.
        counts: counts of training cells: `doubtful` (ambiguous order), `two digits` (of the year), `coarse` (no day),
            `zoneless` (among cells with a zone), `far` (centuries away from the others), `zero` (such as 0000-00-00).
        zones: ambiguous time zone abbreviations → how they are read.
        farthest: standard deviations from the mean to which dates are clipped.
        zoned: whether all training times of day have a zone, or no cell has one; None if mixed.
        missing: words of `table.missing` that are dates, such as 9999-12-31: such cells are missing.
        sentinels: dates such as 1900-01-01 far from the others, as written → training cells.
        earliest, latest: range of the training rows without outliers; None in models of older versions.
    """

    encoder: ClassVar[str] = "tabular"
    tower: ClassVar[str | None] = "tabular"

    format: str
    mean: Moment
    deviation: PositiveFloat
    clock: bool
    order: Annotated[str, Field(pattern=ORDER)] = ""
    pivot: Annotated[int, Field(ge=0, le=100)] = PIVOT
    unit: Unit | Literal[""] = ""
    counts: Mapping[str, NonNegativeInt] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    farthest: NonNegativeFloat = FARTHEST
    earliest: Moment | None = None
    latest: Moment | None = None
    sentinels: Mapping[str, NonNegativeInt] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    zoned: bool | None = None

    def check(self) -> None:
        check_span(self.earliest, self.latest)
        if odd := set(self.counts) - COUNTED:
            raise ValueError(f"unknown counts: {', '.join(sorted(odd))}")

    def __post_init__(self) -> None:
        if not self.order and "%" in self.format:  # a model of an older version
            numeric = re.match(r"%(d)[/.-]%m|%(m)[/.-]%d", self.format)
            object.__setattr__(self, "order", ("dmy" if numeric[1] else "mdy") if numeric else "")

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if column.is_date:
            return Guess(1.0, f"the Arrow type is {column.data.type}")
        if column.is_number:
            return claim_stamps(column)
        return claim_dates(column) if column.is_string else None

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        day_first: bool | None = None,
        pivot: Annotated[int, Field(ge=0, le=100)] | None = None,
        unit: Unit | None = None,
        missing: Words | None = None,
    ) -> Self:
        """Learn how dates are written, and their scale.

        Args:
            column: training rows.
            day_first: whether 01/02/2026 is in February; inferred from the values by default.
            pivot: two-digit years from this one on are 19xx, earlier ones 20xx; by default 50, for dates of birth 30.
            unit: unit of numbers counted from 1970; inferred from the values by default.
            missing: dates that stand for a missing value, such as 9999-12-31; by default those of the table.
        """
        guessed = pivot is None
        pivot = (BIRTH_PIVOT if BORN.search(column.name) else PIVOT) if pivot is None else pivot
        numbers = column.is_number
        counted = unit or (likely_unit(column) if numbers else None) or ""
        form = f"{NAMES[counted]} since 1970" if counted else ISO
        words = column.conventions.missing if missing is None else missing
        missing = [word for word in words if spelt_moments([word])]
        plain = cls(form, 0.0, 1.0, False, pivot=pivot, unit=counted, missing=missing)
        if column.is_date:
            plain = replace(plain, zoned=all_zoned(column, None))
        elif not counted:
            dates = read_dates(column.strings)
            plain = plain._of_text(dates, day_first, guess_century=guessed)
            plain = replace(plain, zoned=all_zoned(column, dates))
        cells, _ = plain._seconds(column)
        seconds = cells[np.isfinite(cells)]
        far = centuries_away(seconds)
        known = seconds[~far]
        mean = float(known.mean()) if len(known) else 0.0
        deviation = (float(known.std()) if len(known) else 0.0) or 1.0
        farthest = float(np.abs((known - mean) / deviation).max()) if far.any() else FARTHEST
        counts = {**plain.counts, **({"far": int(far.sum())} if far.any() else {})}
        clock = bool((seconds % DAY != 0).any())
        earliest, latest = span_of(known) or (None, None)
        return replace(
            plain,
            mean=mean,
            deviation=deviation,
            clock=clock,
            counts=counts,
            farthest=farthest,
            earliest=earliest,
            latest=latest,
            sentinels=date_sentinels(column, np.where(np.isin(cells, seconds[far]), np.nan, cells)),
        )

    def _of_text(self, dates: SpeltDates, day_first: bool | None, *, guess_century: bool) -> Self:
        """Learn what only the texts show; two-digit years are counted if their century is a guess."""
        order, rival = date_order(dates, day_first)
        known = np.isfinite(dates.moments(order, self.pivot))
        clocked, zoned = known & (dates.rest != 0), known & (dates.zones != "")
        counts = {
            "doubtful": dates.count(known & dates.loose) if rival else 0,
            "two digits": dates.count(known & dates.short) if guess_century else 0,
            "coarse": dates.count(known & dates.coarse) if (known & ~dates.coarse).any() else 0,
            "zoneless": dates.count(clocked & ~zoned) if zoned.any() else 0,
            "zero": dates.zeros,
        }
        counts = {name: cells for name, cells in counts.items() if cells}
        form = dates.name_of_layout(order) or ISO
        return replace(self, format=form, order=order, counts=counts, zones=dates.doubtful_zones())

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        seconds, problems = self._seconds(column)
        present = np.isfinite(seconds)
        problems += self._beyond(column, seconds)
        seconds = np.where(present, seconds, self.mean)
        angles = [seconds / YEAR, (seconds + EPOCH_WEEKDAY) / (7 * DAY), *([seconds / DAY] if self.clock else [])]
        waves = [wave(2 * np.pi * angle) for angle in angles for wave in (np.sin, np.cos)]
        scaled = np.clip((seconds - self.mean) / self.deviation, -self.farthest, self.farthest)
        features = np.stack([scaled, *waves], 1) * present[:, None]
        work.advance(len(column))
        return Encoded(features.astype(np.float32), present, problems)

    def _beyond(self, column: Column, seconds: Seconds) -> list[Problem]:
        if self.earliest is None or self.latest is None:
            return []
        # Dates continue after the training rows: a week of dates says little about how far new ones may lie.
        far = far_beyond(seconds, (self.earliest, self.latest), least=YEAR)
        ends = (f"{EPOCH.fromtimestamp(moment, UTC):%Y-%m-%d}" for moment in (self.earliest, self.latest))
        return beyond_problems(column, far, *ends)

    def moments(self, column: Column) -> Seconds:
        """Return float64[n]: seconds since 1970, NaN if a cell is missing or not a date."""
        return self._seconds(column)[0]

    def encoder_spec(self) -> EncoderSpec:
        return {"floats": 7 if self.clock else 5}

    def overview(self, column: Column) -> Overview:
        seconds, _ = self._seconds(column)
        return Overview({"date": seconds[np.isfinite(seconds)]})

    def describe(self) -> str:
        return f"{self.format}, around {EPOCH.fromtimestamp(self.mean, UTC):%Y-%m-%d}"

    def findings(self, column: str) -> list[Problem]:
        found = notes_on_counts(column, self.counts, self.order, self.pivot)
        if self.sentinels:
            found.append(Problem(None, column, *sentinel_note(self.sentinels, column, self.missing)))
        zones = [(f"the time zone {zone} is read as {offset}", "write offsets") for zone, offset in self.zones.items()]
        return found + [Problem(None, column, reason, cure) for reason, cure in zones]

    def _seconds(self, column: Column) -> tuple[Seconds, list[Problem]]:
        """Return seconds since 1970 of each cell, NaN if missing, and the cells that are not dates."""
        doubtful = "doubtful" in self.counts
        return DateReader(self.order, self.pivot, self.unit, self.zoned, self.missing, doubtful).read(column)
