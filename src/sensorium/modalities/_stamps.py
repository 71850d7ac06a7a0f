"""Numbers that are dates: time since 1970, and digits such as 20260131."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import as_modality
from sensorium.findings import Guess
from sensorium.modalities._column_names import name_words
from sensorium.modalities._stamp_units import DAY, LIKELY, NAMED_UNITS, NAMES, NEAR, SMALLEST, SPANS, Unit
from sensorium.table import SECONDS_PER_UNIT, Column, Floats, SpeltDates, evenly_spaced, read_dates, words

MOST = 0.95  # share of cells that must be dates if the column's name suggests dates
ENOUGH = 20  # fewest cells of numbers that can be dates if the name does not suggest it
# The cell begins with six digits or a year from 1800 to 2199, or is a month and a year, such as 1.2026.
DATE_START = r"^[^0-9]*(?:[0-9]{6}|(?:1[89]|2[01])[0-9]{2}|[0-9]{1,2}\.(?:1[89]|2[01])[0-9]{2}[^0-9]*$)"
HINTS = words(
    "time times timestamp datetime date dates day dt ts stamp epoch unix created updated modified changed deleted "
    "started ended finished expires issued posted published ordered shipped seen login logged joined registered "
    "visited when since at utc month period ym ymd yyyymm yyyymmdd yearmonth datum zeit fecha quarter"
)
IDENTIFIERS = words("id ids code key sku uid number no nr phone mobile tel fax ean isbn barcode zip npi")


def claim_stamps(column: Column) -> Guess | None:
    """Claim a column of numbers as dates; None if it holds other numbers."""
    if not len(column.values) or (_largest(column) < SMALLEST and column.spelling is None):
        return None
    named = names_time(column.name)
    unit = likely_unit(column) if likely_unit(_some(column)) else None
    values = as_floats(column.values) if unit else np.zeros(0)
    if unit and (named or (column.is_whole and _plainly_stamps(column.name, values * SECONDS_PER_UNIT[unit]))):
        first, last = (
            np.datetime64(int(end * SECONDS_PER_UNIT[unit]), "s").astype("datetime64[D]") for end in _ends(values, unit)
        )
        return guess_stamps(column, f"{NAMES[unit]} since 1970, from {first} to {last}", named=named)
    dates = spelt_digits(column)
    if dates is None or not _all_digits(dates, column, named=named):
        return None
    layout = dates.name_of_layout("")
    return guess_stamps(column, f"digits such as {dates.texts[0].as_py()} ({layout})", named=named)


def likely_unit(column: Column) -> Unit | None:
    """Return the unit in which nearly all numbers are times in the years 1990 to 2040."""
    values = as_floats(column.data)
    values = values[np.isfinite(values)]
    units: tuple[Unit, ...] = ("s", "ms", "us", "ns")
    for unit in units:
        moments = values * SECONDS_PER_UNIT[unit]
        if len(values) and ((moments >= LIKELY[0]) & (moments <= LIKELY[1])).mean() >= MOST:
            return unit
    return None


def spelt_digits(column: Column) -> SpeltDates | None:
    """Read the cells as 20260131, 202601 or (decimals stored as text) 2026.01; None if they are other numbers."""
    sample = _some(column)
    if column.is_float and column.spelling is None and not sample.is_whole:
        return None
    starts = pc.sum(pc.match_substring_regex(sample.strings, DATE_START)).as_py() or 0
    if starts < MOST * len(sample):  # reading dates is slow
        return None
    return read_dates(column.strings) if _share(read_dates(sample.strings)) >= MOST else None


def names_time(name: str) -> bool:
    """Return whether the name of a column suggests times."""
    words = name_words(name)
    run_together = any(word.endswith(NAMED_UNITS) for word in words if len(word) > len("datetime"))
    return bool((words & HINTS or run_together) and not words & SPANS)


def as_floats(data: pa.Array) -> Floats:
    """Return float64[n], NaN if missing; numbers as text are read."""
    if pa.types.is_string(data.type):
        text = pc.utf8_trim_whitespace(data)
        plain = pc.match_substring_regex(text, r"^[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?$").fill_null(False)
        data = pc.if_else(plain, text, pa.scalar(None, pa.string()))
    return np.array(data.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def _all_digits(dates: SpeltDates, column: Column, *, named: bool) -> bool:
    """Return whether digits are dates: the name suggests it and nearly all fit, or there are many and all fit."""
    if named:
        return _share(dates) >= MOST
    enough = len(column.values) >= ENOUGH and column.distinct >= ENOUGH // 2
    return enough and not name_words(column.name) & IDENTIFIERS and _share(dates) == 1


def _share(dates: SpeltDates) -> float:
    """Return the share of cells that are dates."""
    known = int((dates.places >= 0).sum())
    return dates.count(np.isfinite(dates.moments(""))) / known if known else 0.0


def _plainly_stamps(name: str, moments: Floats) -> bool:
    """Return whether whole numbers of seconds (or thousandths …) are unlikely to be counters, codes or amounts."""
    if len(moments) < ENOUGH or name_words(name) & (IDENTIFIERS | SPANS):
        return False
    low, high = float(moments.min()), float(moments.max())
    return NEAR[0] <= low and high <= NEAR[1] and high - low >= max(DAY, 10.0 * len(moments))


def guess_stamps(column: Column, reason: str, *, named: bool) -> Guess:
    cure = f"{as_modality(column.name, 'number')} (or category) if they are not dates"
    return (
        Guess(0.995, reason)
        if named
        else Guess(0.92, reason, f"read as dates, although the column name does not suggest dates; {cure}")
    )


def _largest(column: Column) -> float:
    return float(pc.max(column.values).as_py())


def _ends(values: Floats, unit: Unit) -> tuple[float, float]:
    """Return the first and the last of the likely times."""
    moments = values * SECONDS_PER_UNIT[unit]
    likely = values[(moments >= LIKELY[0]) & (moments <= LIKELY[1])]
    return float(likely.min()), float(likely.max())


def _some(column: Column) -> Column:
    """Return at most 300 of the cells that hold a value, evenly spaced."""
    rows = np.flatnonzero(column.present)
    return column.take(rows[evenly_spaced(len(rows), 300)])
