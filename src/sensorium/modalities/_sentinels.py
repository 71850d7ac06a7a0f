"""Sentinel values such as -999, 9999 and 1900-01-01, which stand for missing values but are valid numbers and dates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import set_missing, set_option
from sensorium.findings import IN_TRAINING, count
from sensorium.table import Column, spelt_codes

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

DAY = 86_400.0  # seconds
LEAST = 2  # cells of one value; a single one may be a measurement
OTHERS = 20  # fewest other values that a sentinel is compared with
# How many ranges of the others a value lies outside of them. A price of 999 is plausible, -99.9 or 9999 hardly ever.
NEGATIVE, LONG_NINES, SHORT_NINES, ZEROS, DATE_RANGES = 1.0, 2.0, 3.0, 3.0, 1.0
SMALLEST, LONG, LARGEST = 99.0, 999.0, 10.0**15 - 1  # of nines; the limit from which positive ones are long
PLACES = (0, 1)  # decimals of nines, such as -99.9; 99.99 is a price
EXACT = 0.01  # -99.9 in 32 bits is -99.9000015
HALF = 0.5
MOST_ZEROS = 0.3  # share of the cells: if there are more zeros, they are measurements
FIRST_YEAR, LAST_YEAR, YEAR_RANGES, YEARS_APART = 1900, 2100, 0.5, 20  # 1900 is the default year of many programs
USUAL = {0.0, float(FIRST_YEAR)}  # they are regular values in other columns
AGES = 500 * 365.2425 * 86_400.0  # seconds; dates this far from the others are sentinels
MOST_FAR = 0.3  # share of the cells
DATES = [
    *("0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1900-01-02", "1901-01-01", "1970-01-01"),
    *("2099-12-31", "2100-01-01", "2999-12-31", "9999-01-01", "9999-12-31"),
]
DAYS = np.array(DATES, "datetime64[D]").astype(np.float64)


def number_sentinels(column: Column, values: Floats) -> dict[str, int]:
    """Return spellings of numbers such as -99.9, 9999 and 0 that lie far outside of a column's other values → the cells
    that have them.
    """
    # Such a value is the smallest or the largest: most columns need no closer check.
    nines = _nines(values) if _nines(_ends(values)).any() else np.zeros(len(values), bool)
    zeros, first_years = values == 0, values == FIRST_YEAR
    if not (nines.any() or zeros.any() or first_years.any()):
        return {}
    others = values[np.isfinite(values) & ~nines]
    apart = _apart(others, values) & nines
    if others.size and 0 < zeros.mean() <= MOST_ZEROS:
        apart |= _far_outside(others[others != 0], values, ZEROS) & zeros
    dated = others[(others != 0) & (others != FIRST_YEAR)]
    if first_years.any() and _are_years(dated):
        apart |= _far_outside(dated, values, YEAR_RANGES, YEARS_APART) & first_years
    return _spellings(column, values, apart)


def date_sentinels(column: Column, seconds: Floats) -> dict[str, int]:
    """Return spelling → cells of days that programs write for missing dates, far from the other values."""
    if not np.isin(np.floor(_ends(seconds) / DAY), DAYS).any():
        return {}
    likely = np.isin(np.floor(seconds / DAY), DAYS)
    others = seconds[np.isfinite(seconds) & ~likely]
    apart = _far_outside(others, seconds, DATE_RANGES) | _only_negative(others, seconds)
    return _spellings(column, seconds, apart & likely)


def sentinel_note(
    cells: Mapping[str, int], name: str, known: Sequence[str] = (), *, is_target: bool = False
) -> tuple[str, str]:
    """Return the note on sentinel values: a reason and how to fix it.

    Args:
        cells: spellings → cells.
        name: the name of the column.
        known: what the column already reads as missing.
        is_target: whether the column is the target, which has no settings of its own.
    """
    examples = ", ".join(map(repr, cells))
    reason = f"{count(sum(cells.values()), 'cell')} ({examples}){IN_TRAINING} lie far from the other values and"
    usual = bool(USUAL & set(spelt_codes([*cells])))
    if is_target:
        cure = "if they do, empty these cells" if usual else f"{set_missing([*cells])} reads them as missing"
    else:  # for the column only: flags for the whole table would override each other
        words = json.dumps([*known, *cells], ensure_ascii=False)
        cure = f"{set_option(name, 'missing', words)} reads them as missing"
    return f"{reason} are read as written; check whether they stand for missing values", cure


def _spellings(column: Column, values: Floats, apart: Truths) -> dict[str, int]:
    found, times = np.unique(values[apart], return_counts=True)
    rows = np.flatnonzero(np.isin(values, found[times >= LEAST]) & apart)
    counted = _texts(column, rows).value_counts() if len(rows) else pa.array([], pa.struct([]))
    return {str(cell["values"]): int(cell["counts"]) for cell in counted.to_pylist()}


def _ends(values: Floats) -> Floats:
    """Return float64[2]: minimum and maximum; NaN if there are none."""
    return np.array([np.fmin.reduce(values, initial=np.nan), np.fmax.reduce(values, initial=np.nan)])


def _nines(values: Floats) -> Truths:
    """Return bool[n]: -9, -99, 999, -99.9 and the like; a 9 alone is a regular value."""
    found = values == -9
    size = np.abs(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.where((size >= SMALLEST) & (size <= LARGEST), size, np.nan)
        for places in PLACES:
            digits = size * 10.0**places
            found |= np.abs(10.0 ** np.round(np.log10(digits + 1)) - 1 - digits) <= EXACT
    return found


def _apart(others: Floats, values: Floats) -> Truths:
    """Return bool[n]: nines that lie outside of the others."""
    long, short = (_far_outside(others, values, ranges) for ranges in (LONG_NINES, SHORT_NINES))
    above = np.where(values > LONG, long, short) & (not _are_prices(others))
    below = _far_outside(others, values, NEGATIVE) | _only_negative(others, values)
    return np.asarray(np.where(values < 0, below, above))


def _are_prices(values: Floats) -> bool:
    """Return whether most values end in 9, like 19.99 and 199."""
    with np.errstate(over="ignore", invalid="ignore"):
        ends = [np.mod(np.round(values * power), 10) == 9 for power in (1, 100)]
    return bool(len(values) and np.logical_or(*ends).mean() > HALF)


def _are_years(values: Floats) -> bool:
    return bool(
        len(values) and (np.mod(values, 1) == 0).all() and values.min() > FIRST_YEAR and values.max() <= LAST_YEAR
    )


def _far_outside(others: Floats, values: Floats, ranges: float, least: float = 0.0) -> Truths:
    """Return bool[n]: which values lie outside of the others by `ranges` times their range, and by `least`."""
    if len(others) < OTHERS or others.min() == others.max():
        return np.zeros(len(values), bool)
    low, high = float(others.min()), float(others.max())
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.maximum(low - values, values - high) > max(ranges * (high - low), least))


def _only_negative(others: Floats, values: Floats) -> Truths:
    """Return bool[n]: which values are negative although no other one is (moments: before 1970)."""
    return (values < 0) & bool(len(others) >= OTHERS and others.min() >= 0)


def _texts(column: Column, rows: npt.NDArray[np.int64]) -> pa.Array:
    """Return cells in the spelling of `table.missing`: text as written, typed dates without a time."""
    some = column.take(rows)
    texts = some.strings if some.spelling is None else some.spelling
    temporal = pa.types.is_date(some.data.type) or pa.types.is_timestamp(some.data.type)
    return pc.utf8_slice_codeunits(texts, 0, 10) if temporal else texts


def centuries_away(seconds: Floats) -> Truths:
    """Return bool[n]: dates such as 9999-12-31, centuries away from all others, which stand for missing ones."""
    far = np.abs(seconds - np.median(seconds)) > AGES if len(seconds) else np.zeros(0, bool)
    others = seconds[~far]
    few = far.sum() <= MOST_FAR * len(seconds) and len(others) and np.ptp(others) < AGES / 2
    return far if few else np.zeros(len(seconds), bool)
