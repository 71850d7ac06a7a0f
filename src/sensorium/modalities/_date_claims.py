"""Recognize columns of text that are dates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import as_modality, set_option
from sensorium.findings import Guess, shorten
from sensorium.modalities._date_problems import other_day_first
from sensorium.modalities._stamps import names_time
from sensorium.table import DATE_ORDERS, Column, SpeltDates, date_order, read_dates

HALF = 0.5
MOSTLY = 0.9  # share of the cells with digits that are dates
HALF_GAPS = 0.6  # share of all cells: with more words among them the column is something else …
MANY_GAPS = 0.3  # … unless there are so few distinct words that they mark gaps
FEW_WORDS = 3
ENOUGH = 20  # cells with digits that are dates, if the column name does not suggest it
TIME_OF_DAY = r"^\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[aApP]\.?[mM]\.?)?\s*$"


def claim_dates(column: Column) -> Guess | None:
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
        cautions.append(f"{either}; to change it, {set_option(name, 'day_first', other_day_first(order))}")
    if odd:
        cautions.append(f"cells such as {', '.join(map(repr, odd[:3]))} are not dates and are read as missing")
    return "; ".join(cautions)


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
