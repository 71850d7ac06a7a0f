"""Report cells of a column of dates: those that are missing, ambiguous or in another order than in training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sensorium.config import set_option
from sensorium.findings import IN_TRAINING, Problem, count
from sensorium.table import DATE_ORDERS, TWIN, Floats, SpeltDates

MISSING = "not a date: read as missing"


def other_day_first(order: str) -> str:
    """Return the value of `day_first` that selects another order."""
    return "false" if order == "dmy" else "true"


def notes_on_counts(column: str, counts: Mapping[str, int], order: str, pivot: int) -> list[Problem]:
    """Report the training cells that were counted because their reading may be wrong."""
    first = set_option(column, "pivot", (pivot + 20) % 100)
    notes = {
        "doubtful": (
            f"the order of day and month is ambiguous; dates are read {DATE_ORDERS.get(order, '')}",
            set_option(column, "day_first", other_day_first(order)),
        ),
        "two digits": (
            f"two-digit years are read as {1900 + pivot} to {1999 + pivot}",
            f"{first} or another first year of the 1900s",
        ),
        "far": (
            "dates are centuries away from all others; they are clipped to the range of the others",
            "correct typing errors; clear cells whose date, such as 9999-12-31, stands for a missing value",
        ),
        "zero": ("cells such as 0000-00-00 are read as missing dates", ""),
        "coarse": ("dates without a day are read as the first day", "write the day of every date"),
        "zoneless": ("times without a zone are read as UTC", "write every time with its zone"),
    }
    return [
        Problem(None, column, f"{notes[name][0]} ({count(cells, 'cell')}{IN_TRAINING})", notes[name][1])
        for name, cells in counts.items()
    ]


def unfit_date(dates: SpeltDates, place: int, order: str, pivot: int) -> tuple[str, str]:
    """Explain why a text is no date in the order of the column, or is read although training shows no order."""
    reason, cure = MISSING, ""
    if dates.loose[place]:
        if not order:
            reason, cure = _without_order(dates, place, pivot), "write dates as 2026-01-31"
        elif order in TWIN and np.isfinite(dates.moments(TWIN[order])[place]):
            words, other = DATE_ORDERS[order], DATE_ORDERS[TWIN[order]]
            reason = f"the date fits only {other}, but training dates are {words}: read as missing"
            cure = "write dates as 2026-01-31"
    return reason, cure


def _without_order(dates: SpeltDates, place: int, pivot: int) -> str:
    """Explain how a text is read whose order no training cell shows."""
    readings = {order: dates.moments(order, pivot)[place] for order in DATE_ORDERS}
    fit = [order for order, moment in readings.items() if np.isfinite(moment)]
    if len({readings[order] for order in fit}) > 1:
        return "the order of day and month is not known from training: read as missing"
    words = " and ".join(DATE_ORDERS[order] for order in fit)
    return f"no training date is written like this: read {words}, the only possible order" if fit else MISSING


def swapped_order(
    name: str, dates: SpeltDates, moments: Floats, *, order: str, pivot: int, doubtful: bool
) -> list[Problem]:
    """Report the column as a whole if some cells show another order of day and month than training."""
    if order not in TWIN or not dates.loose.any():
        return []
    twin = np.where(dates.loose, dates.moments(TWIN[order], pivot), np.nan)
    either = dates.loose & np.isfinite(twin) & np.isfinite(moments) & (twin != moments)
    if not (np.isfinite(twin) & ~np.isfinite(moments)).any() or not either.any():
        return []
    words, other = DATE_ORDERS[order], DATE_ORDERS[TWIN[order]]
    reason = (
        f"some cells fit only {other}. Ambiguous cells are read {words}, as in training, "
        "and may have day and month swapped"
    )
    refit = f", or fit again with {set_option(name, 'day_first', other_day_first(order))}" * doubtful
    cure = f"write dates as 2026-01-31{refit}"
    return [Problem(None, name, reason, cure)]
