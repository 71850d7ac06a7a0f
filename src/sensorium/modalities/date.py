"""Dates and times: their position on the time axis, in the year, in the week and in the day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat

from sensorium.config import Words, as_modality, set_option
from sensorium.findings import IN_TRAINING, Guess, Problem, count, shorten
from sensorium.modalities._base import Encoded, EncoderSpec, Modality, Work
from sensorium.modalities._beyond import beyond_problems, check_span, far_beyond, span_of
from sensorium.modalities._fields import Moment
from sensorium.modalities._overview import Overview
from sensorium.modalities._sentinels import centuries_away, date_sentinels, sentinel_note
from sensorium.modalities._stamps import NAMES, POSSIBLE, UNITS, Unit, as_floats, claim_stamps, likely_unit, names_time
from sensorium.modalities._zones import all_zoned, zone_problems
from sensorium.table import DATE_ORDERS, PIVOT, TWIN, Column, SpeltDates, date_order, read_dates, spelt_moments

ISO = "ISO 8601"
DAY = 86_400.0  # seconds
YEAR = 365.2425 * DAY
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_WEEKDAY = 3 * DAY  # 1 January 1970 was a Thursday
BORN = re.compile(r"birth|born|dob|geb|naiss|nacim|nasc", re.IGNORECASE)
FARTHEST = 1e15  # standard deviations from the mean: no limit
BIRTH_PIVOT = 30  # no date of birth is in 2045
HALF = 0.5
MOSTLY = 0.9  # share of the cells with digits that are dates
HALF_GAPS = 0.6  # share of all cells: with more words among them the column is something else …
MANY_GAPS = 0.3  # … unless there are so few distinct words that they mark gaps
FEW_WORDS = 3
ENOUGH = 20  # cells with digits that are dates, if the column name does not suggest it
TIME_OF_DAY = r"^\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[aApP]\.?[mM]\.?)?\s*$"
MISSING = "not a date: read as missing"

Seconds = npt.NDArray[np.float64]
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
        if pa.types.is_date(column.data.type) or pa.types.is_timestamp(column.data.type):
            return Guess(1.0, f"the Arrow type is {column.data.type}")
        if column.is_integer or column.is_float:
            return claim_stamps(column)
        return _claim_text(column) if column.is_string else None

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
        numbers = column.is_integer or column.is_float
        counted = unit or (likely_unit(column) if numbers else None) or ""
        form = f"{NAMES[counted]} since 1970" if counted else ISO
        words = column.conventions.missing if missing is None else missing
        missing = [word for word in words if spelt_moments([word])]
        plain = cls(form, 0.0, 1.0, False, pivot=pivot, unit=counted, missing=missing)
        if _is_temporal(column):
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
        pivot = set_option(column, "pivot", (self.pivot + 20) % 100)
        told = {
            "doubtful": (
                f"the order of day and month is ambiguous; dates are read {DATE_ORDERS.get(self.order, '')}",
                set_option(column, "day_first", _other(self.order)),
            ),
            "two digits": (
                f"two-digit years are read as {1900 + self.pivot} to {1999 + self.pivot}",
                f"{pivot} or another first year of the 1900s",
            ),
            "far": (
                "dates are centuries away from all others; they are clipped to the range of the others",
                "correct typing errors; empty cells whose date, such as 9999-12-31, stands for a missing value",
            ),
            "zero": ("cells such as 0000-00-00 are read as missing dates", ""),
            "coarse": ("dates without a day are read as the first day", "write the day of every date"),
            "zoneless": ("times without a zone are read as UTC", "write every time with its zone"),
        }
        found = [
            Problem(None, column, f"{told[name][0]} ({count(cells, 'cell')}{IN_TRAINING})", told[name][1])
            for name, cells in self.counts.items()
        ]
        if self.sentinels:
            found.append(Problem(None, column, *sentinel_note(self.sentinels, column, self.missing)))
        zones = [(f"the time zone {zone} is read as {offset}", "write offsets") for zone, offset in self.zones.items()]
        return found + [Problem(None, column, reason, cure) for reason, cure in zones]

    def _seconds(self, column: Column) -> tuple[Seconds, list[Problem]]:
        """Return seconds since 1970 of each cell, NaN if missing, and the cells that are not dates."""
        seconds, problems = self._read(column)
        codes = [moment.replace(tzinfo=UTC).timestamp() for moment in spelt_moments(self.missing)]
        seconds[np.isin(seconds, codes)] = np.nan
        return seconds, problems

    def _read(self, column: Column) -> tuple[Seconds, list[Problem]]:
        if _is_temporal(column):
            told = zone_problems(column, None, self.zoned)
            micro = column.data.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
            return np.array(micro.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)) / 1e6, told
        if pa.types.is_nested(column.data.type):
            told = [Problem(int(row), column.name, MISSING) for row in np.flatnonzero(column.present)]
            return np.full(len(column), np.nan), told
        cells = column.strings
        dates = read_dates(cells)
        moments, lone = self._moments(dates)
        seconds = np.asarray(dates.of_cells(moments, np.nan), dtype=np.float64)
        counted = np.full(len(column), np.nan)
        if self.unit:
            counted = as_floats(column.data) * UNITS[self.unit]
            possible = (counted >= POSSIBLE[0]) & (counted <= POSSIBLE[1])
            seconds = np.where(np.isfinite(counted), np.where(possible, counted, np.nan), seconds)
        odd = np.flatnonzero((dates.places >= 0) & (~np.isfinite(seconds) | dates.of_cells(lone, False).astype(bool)))
        problems = zone_problems(column, dates, self.zoned)
        problems += [self._problem(int(row), column.name, cells[int(row)].as_py(), dates, counted) for row in odd]
        return seconds, [*self._swapped(dates, moments, column.name), *problems]

    def _moments(self, dates: SpeltDates) -> tuple[Seconds, npt.NDArray[np.bool_]]:
        """Return float64[u]: seconds of each text; bool[u]: texts whose order no training cell shows, but that fit only
        one order, in which they are read.
        """
        moments = dates.moments(self.order, self.pivot)
        if self.order or not dates.loose.any():
            return moments, np.zeros(len(moments), np.bool_)
        readings = np.stack([dates.moments(order, self.pivot) for order in DATE_ORDERS])
        lowest = np.where(np.isfinite(readings), readings, np.inf).min(0)
        highest = np.where(np.isfinite(readings), readings, -np.inf).max(0)
        lone = dates.loose & (lowest == highest)  # 05/05/2021 is the same day in both orders
        return np.where(lone, lowest, moments), lone

    def _problem(self, row: int, name: str, text: str, dates: SpeltDates, counted: Seconds) -> Problem:
        """Explain why a cell is missing, or is read although its order is not known from training."""
        reason, cure = MISSING, ""
        if np.isfinite(counted[row]):
            reason = f"not plausible as {NAMES[self.unit]} since 1970: read as missing"
            cure = " or ".join(set_option(name, "unit", unit) for unit in UNITS if unit != self.unit)
        elif dates.loose[dates.places[row]]:
            if not self.order:
                reason, cure = self._without_order(dates, int(dates.places[row])), "write dates as 2026-01-31"
            elif self.order in TWIN and np.isfinite(dates.moments(TWIN[self.order])[dates.places[row]]):
                words, other = DATE_ORDERS[self.order], DATE_ORDERS[TWIN[self.order]]
                reason = f"the date fits only {other}, but training dates are {words}: read as missing"
                cure = "write dates as 2026-01-31"
        return Problem(row, name, reason, cure, shorten(text))

    def _without_order(self, dates: SpeltDates, place: int) -> str:
        """Explain how a text is read whose order no training cell shows."""
        readings = {order: dates.moments(order, self.pivot)[place] for order in DATE_ORDERS}
        fit = [order for order, moment in readings.items() if np.isfinite(moment)]
        if len({readings[order] for order in fit}) > 1:
            return "the order of day and month is not known from training: read as missing"
        words = " and ".join(DATE_ORDERS[order] for order in fit)
        return f"no training date is written like this: read {words}, the only possible order" if fit else MISSING

    def _swapped(self, dates: SpeltDates, moments: Seconds, name: str) -> list[Problem]:
        """Report the column as a whole if some cells show another order of day and month than training."""
        if self.order not in TWIN or not dates.loose.any():
            return []
        twin = np.where(dates.loose, dates.moments(TWIN[self.order], self.pivot), np.nan)
        either = dates.loose & np.isfinite(twin) & np.isfinite(moments) & (twin != moments)
        if not (np.isfinite(twin) & ~np.isfinite(moments)).any() or not either.any():
            return []
        words, other = DATE_ORDERS[self.order], DATE_ORDERS[TWIN[self.order]]
        reason = (
            f"some cells fit only {other}. Ambiguous cells are read {words}, as in training, "
            "and may have day and month swapped"
        )
        refit = f", or fit again with {set_option(name, 'day_first', _other(self.order))}" * ("doubtful" in self.counts)
        cure = f"write dates as 2026-01-31{refit}"
        return [Problem(None, name, reason, cure)]


def _claim_text(column: Column) -> Guess | None:
    sample = column.sample(300)
    dates = read_dates(pa.array(sample, pa.string()))
    if dates.count(dates.layouts >= 0) < max(1, MANY_GAPS * (len(sample) - dates.zeros)):
        return _time_of_day(column, sample)
    if dates.loose.any():
        dates = read_dates(column.data)  # a single cell can tell day from month
    order, rival = date_order(dates)
    fits, written = np.isfinite(dates.moments(order)), np.asarray(pc.match_substring_regex(dates.texts, r"\d"))
    cells, fitting = int((dates.places >= 0).sum()), dates.count(fits)
    odd = dates.texts.filter(pa.array(~fits & ~written & (dates.counts > 0))).to_pylist()
    least = MANY_GAPS if len(odd) <= FEW_WORDS else HALF_GAPS
    if fitting < max(1, MOSTLY * dates.count(written), least * cells):
        return _refuse(column.name, dates, fits)
    if dates.spans_years():
        return Guess(0.0, "pairs of years", f"cells such as {sample[0]!r} are read as pairs of years, not as months")
    if dates.digits[fits].all() and not names_time(column.name) and (fitting < ENOUGH or (written & ~fits).any()):
        return None
    example = dates.texts[int(np.flatnonzero(fits)[0])].as_py()
    if (day_first := column.conventions.day_first) is not None:  # the setting says how dates are read, not whether
        order, rival = date_order(dates, day_first)[0], ""
    reason = f"text such as {shorten(example)!r} ({dates.name_of_layout(order)})"
    return Guess(0.995 - (cells - fitting) / (8 * cells), reason, _caution(column.name, order, rival, odd))


def _refuse(name: str, dates: SpeltDates, fits: npt.NDArray[np.bool_]) -> Guess | None:
    """Explain why a column is not read as dates although many cells are dates."""
    cells, fitting = int((dates.places >= 0).sum()), dates.count(fits)
    some = f"{fitting:,} of {cells:,} cells of {name} are dates"
    if _fit_some(dates):
        orders = "the others have another order of day and month, or are not dates"
        return Guess(0.0, "dates in several orders", f"{some}; {orders}")
    if fitting <= HALF * cells or dates.count_days() <= HALF * cells:
        return None
    odd = dates.texts.filter(pa.array(~fits & (dates.counts > 0))).to_pylist()
    others = f"the others, such as {', '.join(map(repr, odd[:2]))}, are not"
    return Guess(0.0, "dates and other values", f"{some}; {others}; {as_modality(name, 'date')} reads these as missing")


def _caution(name: str, order: str, rival: str, odd: list[str]) -> str:
    cautions = []
    if rival:
        either = f"ambiguous order, read as {DATE_ORDERS[order]} (could be {DATE_ORDERS[rival]})"
        cautions.append(f"{either}; to change it, {set_option(name, 'day_first', _other(order))}")
    if odd:
        cautions.append(f"cells such as {', '.join(map(repr, odd[:3]))} are not dates and are read as missing")
    return "; ".join(cautions)


def _other(order: str) -> str:
    """Return the value of `day_first` that selects another order."""
    return "false" if order == "dmy" else "true"


def _fit_some(dates: SpeltDates) -> bool:
    """Return whether nearly every cell is a date in some order."""
    fits = np.any([np.isfinite(dates.moments(order)) for order in DATE_ORDERS], axis=0)
    return dates.count(fits) >= MOSTLY * int((dates.places >= 0).sum())


def _time_of_day(column: Column, sample: list[str]) -> Guess | None:
    """Warn about times of day without claiming them: a time without a date has no position on the time axis."""
    if not sample or not pc.all(pc.match_substring_regex(pa.array(sample, pa.string()), TIME_OF_DAY)).as_py():
        return None
    caution = f"cells such as {sample[0]!r} are times of day, which are not supported; write minutes as a number"
    return Guess(0.0, "times of day", caution)


def _is_temporal(column: Column) -> bool:
    return bool(pa.types.is_date(column.data.type) or pa.types.is_timestamp(column.data.type))
