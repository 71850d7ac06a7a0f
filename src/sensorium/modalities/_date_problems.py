"""Report cells of a column of dates: those that are missing, ambiguous or in another order than in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

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
    other = (pivot + 20) % 100
    notes = {
        "doubtful": (
            f"the order of day and month is ambiguous; dates are read {DATE_ORDERS.get(order, '')}",
            set_option(column, "day_first", other_day_first(order)),
        ),
        "two digits": (
            f"two-digit years are read as {1900 + pivot} to {1999 + pivot}",
            f"{set_option(column, 'pivot', other)} reads them as {1900 + other} to {1999 + other}",
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


@dataclass(frozen=True)
class UnfitDates:
    """Explanation of texts that are no dates in the order of the column, or that training shows no order for.

    Attributes:
        dates: the texts.
        order: order of day, month and year in the column; empty if training shows none.
        pivot: first year of the 1900s that two digits stand for.
    """

    dates: SpeltDates
    order: str
    pivot: int

    @cached_property
    def readings(self) -> dict[str, Floats]:
        """Return order → seconds of each text, NaN where it does not fit the order."""
        return {order: self.dates.moments(order, self.pivot) for order in DATE_ORDERS}

    def explain(self, place: int) -> tuple[str, str]:
        """Return why the text at a place is missing or read nevertheless, and the cure."""
        if not self.dates.loose[place]:
            return MISSING, ""
        if not self.order:
            return self._without_order(place), "write dates as 2026-01-31"
        if self.order in TWIN and np.isfinite(self.readings[TWIN[self.order]][place]):
            words, other = DATE_ORDERS[self.order], DATE_ORDERS[TWIN[self.order]]
            reason = f"the date fits only {other}, but training dates are {words}: read as missing"
            return reason, "write dates as 2026-01-31"
        return MISSING, ""

    def _without_order(self, place: int) -> str:
        fit = {order: moments[place] for order, moments in self.readings.items() if np.isfinite(moments[place])}
        if len(set(fit.values())) > 1:
            return "the order of day and month is not known from training: read as missing"
        words = " and ".join(DATE_ORDERS[order] for order in fit)
        reason = f"no training date is written like this; it is read as {words}, the only order that fits"
        return reason if fit else MISSING


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
