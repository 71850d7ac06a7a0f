"""Infer the order of day, month and year from all dates of a column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._dates import DAY_FIRST, MONTH_FIRST, YEAR_FIRST, SpeltDates

ISO_START = r"^\d{4}-\d\d"
CLEARLY = 3  # times as many different days as years: which of two parts is the day is plain


def are_iso_dates(texts: pa.Array) -> bool:
    """Return whether all texts start like 2026-01, so that their order as text is that of time."""
    return bool(pc.all(pc.match_substring_regex(texts, ISO_START)).as_py())


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


def _days(dates: SpeltDates, order: str) -> int:
    """Return the distinct days of the month in an order."""
    part = {DAY_FIRST: 0, MONTH_FIRST: 1, YEAR_FIRST: 2}[order]
    return len(np.unique(dates.parts[dates.loose, part]))
