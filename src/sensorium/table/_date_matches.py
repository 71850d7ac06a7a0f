"""Match texts with the layouts of dates, and read the parts of each match."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._arrays import Floats, Rows, Truths
from sensorium.table._calendar import DAY, days_of
from sensorium.table._date_layouts import LAYOUTS
from sensorium.table._date_words import MONTHS, WEEKDAYS, ZONES


class DateFields:
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
