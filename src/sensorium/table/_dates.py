"""Read dates from text in many layouts; only the order of day, month and year depends on the column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._arrays import Floats, Rows, Truths
from sensorium.table._calendar import DAY, days_of
from sensorium.table._date_layouts import COARSE, LAYOUTS, normalise, rewrite
from sensorium.table._date_matches import DateFields
from sensorium.table._date_words import DOUBTFUL_ZONES

PIVOT = 50  # of years of two digits: 50 is 1950, 49 is 2049
ZERO = r"^(?:0000[-/.]00[-/.]00|00[-/.]00[-/.]0000)(?:[ t]00:00(?::00(?:\.0+)?)?)?z?$"
LONGEST = 80  # characters of a date
DAY_FIRST, MONTH_FIRST, YEAR_FIRST = "dmy", "mdy", "ymd"
TWIN = {DAY_FIRST: MONTH_FIRST, MONTH_FIRST: DAY_FIRST}
DATE_ORDERS = {DAY_FIRST: "day first", MONTH_FIRST: "month first", YEAR_FIRST: "year first"}
LOOSE = {DAY_FIRST: "day/month/year", MONTH_FIRST: "month/day/year", YEAR_FIRST: "year/month/day"}


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
    fields = DateFields(len(texts))
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
