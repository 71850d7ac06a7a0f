"""Values such as -999, 9999 and 1900-01-01 that stand for a missing one, though they read as numbers and dates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import set_missing
from sensorium.problems import count
from sensorium.table import Column

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

DAY = 86_400.0  # seconds
LEAST = 2  # cells of one value; one alone may be measured
OTHERS = 20  # other values, from which something lies outside of them
NUMBER_RANGES, DATE_RANGES = 3.0, 1.0  # ranges of the other values that one lies outside of them
SMALLEST, LARGEST = 99.0, 10.0**15 - 1
DATES = [
    *("0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1900-01-02", "1901-01-01", "1970-01-01"),
    *("2099-12-31", "2100-01-01", "2999-12-31", "9999-01-01", "9999-12-31"),
]
DAYS = np.array(DATES, "datetime64[D]").astype(np.float64)


def number_sentinels(column: Column, values: Floats) -> dict[str, int]:
    """Spellings of numbers of nines that lie clearly outside of a column's others → the cells that have them."""
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        power = np.log10(np.where((size >= SMALLEST) & (size <= LARGEST), size + 1, np.nan))
    return _spellings(column, values, np.isfinite(power) & (10.0 ** np.round(power) == size + 1), NUMBER_RANGES)


def date_sentinels(column: Column, seconds: Floats) -> dict[str, int]:
    """Spellings of days that programs write for a gap, and that lie outside of a column's others → their cells."""
    return _spellings(column, seconds, np.isin(np.floor(seconds / DAY), DAYS), DATE_RANGES)


def sentinel_note(cells: Mapping[str, int]) -> tuple[str, str]:
    """What the user should know of them: a reason and a cure."""
    examples = ", ".join(map(repr, cells))
    reason = f"{count(sum(cells.values()), 'cell')} ({examples}) stand apart from the other values and are read as"
    return f"{reason} written; do they stand for missing values?", f"{set_missing([*cells])} makes them missing"


def _spellings(column: Column, values: Floats, likely: Truths, ranges: float) -> dict[str, int]:
    others = values[np.isfinite(values) & ~likely]
    if not likely.any() or len(others) < OTHERS:
        return {}
    outside = _outside(values, float(others.min()), float(others.max()), ranges) & likely
    found, times = np.unique(values[outside], return_counts=True)
    rows = np.flatnonzero(np.isin(values, found[times >= LEAST]) & outside)
    counted = _texts(column, rows).value_counts()
    return {str(cell["values"]): int(cell["counts"]) for cell in counted.to_pylist()}


def _outside(values: Floats, low: float, high: float, ranges: float) -> Truths:
    """bool[n]: a value is far from the others, or negative where no other one is (of moments: before 1970)."""
    far = np.maximum(low - values, values - high) > ranges * (high - low)
    return (far if high > low else np.zeros(len(values), bool)) | ((values < 0) & (low >= 0))


def _texts(column: Column, rows: npt.NDArray[np.int64]) -> pa.Array:
    """Cells as `table.missing` names them: as they are spelt, days without a time where they did not arrive as text."""
    some = column.take(rows)
    texts = some.strings if some.spelling is None else some.spelling
    temporal = pa.types.is_date(some.data.type) or pa.types.is_timestamp(some.data.type)
    return pc.utf8_slice_codeunits(texts, 0, 10) if temporal else texts
