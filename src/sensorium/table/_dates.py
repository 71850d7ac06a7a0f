"""Read dates from text in many layouts; only the order of day, month and year depends on the column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._date_layouts import COARSE, LAYOUTS, normalise, rewrite
from sensorium.table._date_words import DOUBTFUL_ZONES, MONTHS, WEEKDAYS, ZONES

DAY = 86_400.0  # seconds
PIVOT = 50  # of years of two digits: 50 is 1950, 49 is 2049
CLEARLY = 3  # times as many different days as years: which of two parts is the day is plain
ZERO = r"^(?:0000[-/.]00[-/.]00|00[-/.]00[-/.]0000)(?:[ t]00:00(?::00(?:\.0+)?)?)?z?$"
LONGEST = 80  # characters of a date
DAY_FIRST, MONTH_FIRST, YEAR_FIRST = "dmy", "mdy", "ymd"
TWIN = {DAY_FIRST: MONTH_FIRST, MONTH_FIRST: DAY_FIRST}
DATE_ORDERS = {DAY_FIRST: "day first", MONTH_FIRST: "month first", YEAR_FIRST: "year first"}
LOOSE = {DAY_FIRST: "day/month/year", MONTH_FIRST: "month/day/year", YEAR_FIRST: "year/month/day"}

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SpeltDates:
    """Dates that the cells of a column spell, before the order of day, month and year is known.

    Attributes:
        places: int64[n]; index of each cell's text among the distinct ones, -1 if it is missing or blank.
        texts: the distinct texts.
        layouts: int64[u]; index of each text in `LAYOUTS`, -1 if it is not a date.
        parts: float64[u, 3]; year, month, day, or for loose layouts the three in the order of the text.
        rest: float64[u]; seconds to add to the day, NaN if clock or zone are wrong.
        zones: abbreviation of the text's zone, `+` for an offset, else empty.
        zeros: cells such as 0000-00-00, which MySQL writes for a missing date; they are missing.
    """

    places: Rows
    texts: pa.Array
    layouts: Rows
    parts: Floats
    rest: Floats
    zones: npt.NDArray[np.str_]
    zeros: int = 0

    @cached_property
    def counts(self) -> Rows:
        """Return int64[u]: the number of cells with each text."""
        return np.bincount(self.places[self.places >= 0], minlength=len(self.texts))

    @cached_property
    def loose(self) -> Truths:
        """Return bool[u]: whether the order of day and month depends on the column."""
        return np.isin(self.layouts, [k for k, layout in enumerate(LAYOUTS) if layout.loose])

    @cached_property
    def short(self) -> Truths:
        """Return bool[u]: whether the year has two digits."""
        year = np.where(self.loose, self.parts[:, 2], self.parts[:, 0])
        return (self.layouts >= 0) & (self.layouts != 0) & (year < 100)

    @cached_property
    def digits(self) -> Truths:
        """Return bool[u]: whether the text has only digits."""
        return np.isin(self.layouts, [k for k, layout in enumerate(LAYOUTS) if layout.digits])

    @cached_property
    def coarse(self) -> Truths:
        """Return bool[u]: whether the text is a week, a month or a quarter."""
        return np.isin(self.layouts, [k for k, layout in enumerate(LAYOUTS) if layout.name in COARSE])

    def moments(self, order: str, pivot: int = PIVOT) -> Floats:
        """Return float64[u]: seconds since 1970 of each text, NaN if it is not a date in this order."""
        parts = self.parts.copy()
        if self.loose.any():
            parts[self.loose] = self._in_order(self.parts[self.loose], self.short[self.loose], order)
        year = np.where(self.short, parts[:, 0] + np.where(parts[:, 0] >= pivot, 1900, 2000), parts[:, 0])
        return days_of(year, parts[:, 1], parts[:, 2]) * DAY + self.rest

    def of_cells(self, values: npt.NDArray[np.generic], missing: object) -> npt.NDArray[np.generic]:
        """Spread values of the texts to the cells."""
        return np.concatenate([values, np.array([missing], values.dtype)])[self.places]

    def count(self, texts: Truths) -> int:
        """Count the cells that have one of the given texts."""
        return int(self.counts[texts].sum())

    def name_of_layout(self, order: str) -> str:
        """Return the layout of most cells; empty if none is a date."""
        known = self.layouts >= 0
        cells = np.bincount(self.layouts[known], self.counts[known]) if known.any() else np.zeros(1)
        layout = LAYOUTS[int(cells.argmax())]
        return (LOOSE.get(order, layout.name) if layout.loose else layout.name) if cells.any() else ""

    def count_days(self) -> int:
        """Count the cells that are valid dates in any order of day, month and year."""
        fits = np.any([np.isfinite(self.moments(order)) for order in DATE_ORDERS], axis=0)
        return self.count(fits & ~self.coarse & (self.layouts >= 0))

    def spans_years(self) -> bool:
        """Return whether the apparent months are pairs of consecutive years, such as 2003-04 and 2004-05."""
        months = self.coarse & np.isfinite(self.parts).all(1)
        years = self.parts[months]
        return bool(len(years) > 1 and ((years[:, 0] + 1) % 100 == years[:, 1]).all())

    def doubtful_zones(self) -> dict[str, str]:
        """Return abbreviations shared by several zones that cells use → how they are read."""
        return {zone.upper(): offset for zone, offset in DOUBTFUL_ZONES.items() if (self.zones == zone).any()}

    @staticmethod
    def _in_order(parts: Floats, short: Truths, order: str) -> Floats:
        """Return year, month, day of three parts; NaN if the order is unknown or does not fit."""
        if order == YEAR_FIRST:
            return np.where(short[:, None], parts, np.nan)
        columns = {DAY_FIRST: [2, 1, 0], MONTH_FIRST: [2, 0, 1]}.get(order)
        return parts[:, columns] if columns else np.full_like(parts, np.nan)


def read_dates(cells: pa.Array) -> SpeltDates:
    """Read a column of text; each distinct text is parsed once."""
    encoded = pc.dictionary_encode(cells)
    texts = encoded.dictionary.cast(pa.string())
    plain = normalise(texts)
    places = np.asarray(encoded.indices.fill_null(-1), dtype=np.int64)
    zero = np.append(np.asarray(pc.match_substring_regex(plain, ZERO)), False)
    blank = np.append(np.asarray(pc.equal(plain, "")), True) | zero
    fields = _Fields(len(texts))
    likely = pc.and_(pc.less_equal(pc.utf8_length(plain), LONGEST), pc.match_substring_regex(plain, r"\d"))
    rows = fields.fill(plain, np.flatnonzero(np.asarray(likely)))
    if len(rows):
        again = rewrite(plain)
        fields.fill(again, rows[np.asarray(pc.not_equal(again, plain))[rows]])
    return SpeltDates(
        np.where(blank[places], -1, places),
        texts,
        fields.layouts,
        fields.parts,
        fields.rest,
        fields.zones,
        int(zero[places].sum()),
    )


def date_order(dates: SpeltDates, day_first: bool | None = None) -> tuple[str, str]:
    """Return the order that most cells fit, and a second order that the same cells fit as well (else empty).

    Args:
        dates: cells of a column.
        day_first: whether 01/02/2026 is in February, if the user has set it.
    """
    if not dates.loose.any():
        return {True: DAY_FIRST, False: MONTH_FIRST, None: ""}[day_first], ""
    orders = {True: [DAY_FIRST], False: [MONTH_FIRST, YEAR_FIRST], None: [DAY_FIRST, MONTH_FIRST, YEAR_FIRST]}
    fits = {order: np.isfinite(dates.moments(order)) & dates.loose for order in orders[day_first]}
    best = max(fits, key=lambda order: dates.count(fits[order]))
    rivals = [o for o in fits if o != best and dates.count(fits[best]) and not (fits[best] & ~fits[o]).any()]
    if YEAR_FIRST in rivals:  # the days of the month vary more than the years
        days = {order: _days(dates, order) for order in (best, YEAR_FIRST)}
        if days[YEAR_FIRST] > days[best]:
            best, rivals = YEAR_FIRST, [best]
        if max(days.values()) >= CLEARLY * min(days.values()):
            rivals = [o for o in rivals if YEAR_FIRST not in (o, best)]
    return best, rivals[0] if rivals and day_first is None else ""


def days_of(year: Floats, month: Floats, day: Floats) -> Floats:
    """Return days since 1970, NaN if the calendar has no such day."""
    found = np.full(len(year), np.nan)
    with np.errstate(invalid="ignore"):
        fits = (year >= 1) & (year <= 9999) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    rows = np.flatnonzero(fits)
    months = ((year[rows] - 1970) * 12 + month[rows] - 1).astype(np.int64).astype("datetime64[M]")
    begins, ends = ((months + step).astype("datetime64[D]").astype(np.int64) for step in (0, 1))
    found[rows] = np.where(begins + day[rows] <= ends, begins + day[rows] - 1, np.nan)
    return found


def _days(dates: SpeltDates, order: str) -> int:
    """Return the distinct days of the month in an order."""
    part = {DAY_FIRST: 0, MONTH_FIRST: 1, YEAR_FIRST: 2}[order]
    return len(np.unique(dates.parts[dates.loose, part]))


class _Fields:
    """Arrays of `SpeltDates`, to be filled."""

    def __init__(self, count: int) -> None:
        self.layouts = np.full(count, -1, np.int64)
        self.parts = np.full((count, 3), np.nan)
        self.rest = np.full(count, np.nan)
        self.zones = np.full(count, "", "<U5")

    def fill(self, texts: pa.Array, rows: Rows) -> Rows:
        """Parse some of the texts.

        Returns:
            The texts that no layout fits.
        """
        for number, layout in enumerate(LAYOUTS):
            if not len(rows):
                break
            found = pc.extract_regex(texts.take(pa.array(rows)), layout.pattern)
            fits = np.asarray(found.is_valid())
            if fits.any():
                match = _Match(found.filter(pa.array(fits)))
                self.layouts[rows[fits]] = number
                self.parts[rows[fits]], shift = match.parts(loose=layout.loose)
                self.rest[rows[fits]] = shift + match.clock() - match.zone()
                self.zones[rows[fits]] = match.zone_names()
                rows = rows[~fits]
        return rows


@dataclass(frozen=True)
class _Match:
    """Groups of a layout's regular expression, for all texts that match."""

    groups: pa.StructArray

    def text(self, name: str) -> pa.Array | None:
        """Return the content of a group for each text, maybe empty; None if it is empty in all texts."""
        if self.groups.type.get_field_index(name) < 0:
            return None
        text = self.groups.field(name)
        return text if pc.any(pc.not_equal(text, "")).as_py() else None

    def begins(self, name: str, letter: str) -> Truths:
        """Return bool[u]: whether the group's content begins with the letter."""
        text = self.text(name)
        return np.zeros(len(self.groups), np.bool_) if text is None else np.asarray(pc.starts_with(text, letter))

    def number(self, name: str, missing: float = np.nan, before: str = "") -> Floats:
        """Return float64[u]: the number spelled by a prefix and the digits of a group."""
        text = self.text(name)
        if text is None:
            return np.full(len(self.groups), missing)
        digits = pc.binary_join_element_wise(before, text, "") if before else text
        values = pc.if_else(pc.equal(text, ""), None, digits).cast(pa.float64())
        return np.asarray(values.fill_null(missing).to_numpy(zero_copy_only=False), dtype=np.float64)

    def named(self, group: str, names: dict[str, int]) -> tuple[Floats, Truths]:
        """Return the number of each name, NaN if it is empty or unknown; and whether it is unknown."""
        text = self.text(group)
        if text is None:
            return np.full(len(self.groups), np.nan), np.zeros(len(self.groups), np.bool_)
        found = np.asarray(pc.index_in(text, pa.array(list(names), pa.string())).fill_null(-1), dtype=np.int64)
        values = np.append(np.array(list(names.values()), np.float64), np.nan)[found]
        return values, (found < 0) & np.asarray(pc.not_equal(text, ""))

    def parts(self, *, loose: bool) -> tuple[Floats, Floats]:
        """Return year, month and day (or the three parts of a loose layout), and seconds to add; NaN if invalid."""
        _, strange = self.named("weekday", dict.fromkeys(WEEKDAYS, 0))
        shift = np.where(strange, np.nan, 0.0)
        if loose:
            marks = [pc.utf8_trim_whitespace(self.groups.field(name)) for name in ("before", "behind")]
            shift[~np.asarray(pc.equal(*marks))] = np.nan
            return np.stack([self.number(name) for name in "abc"], 1), shift
        months = [self.number("month"), self.number("month_two"), self.named("name", MONTHS)[0]]
        months += [3 * self.number(name) - 2 for name in ("quarter", "quarter_two")]
        parts = np.stack([self.number("year"), _first(months), self.number("day", 1)], 1)
        week = self.number("week")
        weeks = np.isfinite(week)
        if weeks.any():  # the week of 4 January is the first one
            parts[weeks, 1:] = 1, 4
            weekday = (days_of(*parts.T) + 3) % 7
            shift += np.where(weeks, 7 * (week - 1) + self.number("week_day", 1) - 1 - weekday, 0) * DAY
            shift[weeks & ~((week >= 1) & (week <= 53))] = np.nan
        return parts, shift

    def clock(self) -> Floats:
        """Return the time of day in seconds; 24:00 is the end of the day."""
        hour, minute, second = (self.number(name, 0) for name in ("hour", "minute", "second"))
        after, before = (self.begins("half", half) | self.begins("half_before", half) for half in "pa")
        wrong = (minute > 59) | (second > 60) | (hour > 24) | (before & (hour > 12))
        wrong |= (hour == 24) & (minute + second > 0)
        hour = np.where(after & (hour < 12), hour + 12, np.where(before & (hour == 12), 0, hour))
        second = second + self.number("fraction", 0, before="0.")
        return np.where(wrong, np.nan, hour * 3600 + minute * 60 + second)

    def zone(self) -> Floats:
        """Return the offset east of UTC in seconds; 0 without a zone, NaN for an unknown one."""
        named, unknown = self.named("zone", ZONES)
        hours, minutes = self.number("zone_hours"), self.number("zone_minutes", 0)
        east = np.where(self.begins("sign", "-"), -1, 1) * (hours * 60 + minutes)
        east[(hours > 15) | (minutes > 59)] = np.nan
        wrong = unknown | (np.isfinite(hours) & ~np.isfinite(east))
        return np.where(wrong, np.nan, _first([east, named, np.zeros(len(named))])) * 60

    def zone_names(self) -> npt.NDArray[np.str_]:
        """Return `+` for an offset, or the zone's abbreviation."""
        signed, names = self.begins("sign", "-") | self.begins("sign", "+"), self.text("zone")
        return np.where(signed, "+", "" if names is None else np.array(names.to_pylist(), dtype="<U5"))


def _first(options: list[Floats]) -> Floats:
    """Return, for each position, the first value that is a number."""
    found = options[0]
    for other in options[1:]:
        found = np.where(np.isnan(found), other, found)
    return found
