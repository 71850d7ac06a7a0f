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
from sensorium.modalities._nines import DATE_RANGES, ZEROS, apart_nines, find_nines
from sensorium.modalities._outside import far_outside, only_negative
from sensorium.table import Column, Floats, Truths, spelt_codes

DAY = 86_400.0  # seconds
LEAST = 2  # cells of one value; a single one may be a measurement
MOST_ZEROS = 0.3  # share of the cells: if there are more zeros, they are measurements
FIRST_YEAR, LAST_YEAR, YEAR_RANGES, YEARS_APART = 1900, 2100, 0.5, 20  # 1900 is the default year of many programs
USUAL = {0.0, float(FIRST_YEAR)}  # they are regular values in other columns
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
    nines = find_nines(values) if find_nines(_ends(values)).any() else np.zeros(len(values), bool)
    zeros, first_years = values == 0, values == FIRST_YEAR
    if not (nines.any() or zeros.any() or first_years.any()):
        return {}
    others = values[np.isfinite(values) & ~nines]
    apart = apart_nines(others, values) & nines
    if others.size and 0 < zeros.mean() <= MOST_ZEROS:
        apart |= far_outside(others[others != 0], values, ZEROS) & zeros
    dated = others[(others != 0) & (others != FIRST_YEAR)]
    if first_years.any() and are_years(dated):
        apart |= far_outside(dated, values, YEAR_RANGES, YEARS_APART) & first_years
    return _spellings(column, values, apart)


def date_sentinels(column: Column, seconds: Floats) -> dict[str, int]:
    """Return spelling → cells of days that programs write for missing dates, far from the other values."""
    if not np.isin(np.floor(_ends(seconds) / DAY), DAYS).any():
        return {}
    likely = np.isin(np.floor(seconds / DAY), DAYS)
    others = seconds[np.isfinite(seconds) & ~likely]
    apart = far_outside(others, seconds, DATE_RANGES) | only_negative(others, seconds)
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


def are_years(values: Floats) -> bool:
    return bool(
        len(values) and (np.mod(values, 1) == 0).all() and values.min() > FIRST_YEAR and values.max() <= LAST_YEAR
    )


def _texts(column: Column, rows: npt.NDArray[np.int64]) -> pa.Array:
    """Return cells in the spelling of `table.missing`: text as written, typed dates without a time."""
    some = column.take(rows)
    texts = some.strings if some.spelling is None else some.spelling
    return pc.utf8_slice_codeunits(texts, 0, 10) if some.is_date else texts
