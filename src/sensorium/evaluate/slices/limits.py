"""Limits between ranges of numbers and dates: near quantiles, and as round as possible."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import numpy as np

from sensorium.table import Floats

RANGES = 4  # ranges that a column is cut into
SLACK = 0.04  # share of the rows by which a limit may be off its quantile, to be rounder
LEAST = 0.5  # share of an equal range that a range has at least
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Limit:
    """Lowest value of a range, and how it is written."""

    value: float
    name: str


Rounded: TypeAlias = Callable[[float, float], Limit]  # the roundest value above the first number, up to the second


def number_limits(values: Floats) -> list[Limit]:
    """Return limits that cut numbers into ranges with about equal numbers of rows."""
    return _limits(values, round_number)


def date_limits(seconds: Floats) -> list[Limit]:
    """Return limits that cut dates, in seconds since 1970, into ranges with about equal numbers of rows."""
    return _limits(seconds, round_date)


def _limits(values: Floats, rounded: Rounded) -> list[Limit]:
    values = np.sort(values)
    least = LEAST * len(values) / RANGES
    found, start = list[Limit](), 0
    for limit in _near_quantiles(values, rounded):
        place = int(np.searchsorted(values, limit.value))
        if place - start >= least and len(values) - place >= least:
            found.append(limit)
            start = place
    return found


def _near_quantiles(values: Floats, rounded: Rounded) -> Iterator[Limit]:
    for part in range(1, RANGES) if len(values) else ():
        share = part / RANGES
        low, high = np.quantile(values, [share - SLACK, share + SLACK], method="inverted_cdf")
        if low < high:
            yield rounded(float(low), float(high))
            continue
        # Many rows have this value: it can begin a range, or end one.
        below, above = values[values < low], values[values > low]
        if len(below):
            yield rounded(float(below[-1]), float(low))
        if len(above):
            yield rounded(float(low), float(above[0]))


def round_number(low: float, high: float) -> Limit:
    """Return the roundest number above `low`, up to `high`.

    Example:
        >>> from sensorium.evaluate.slices.limits import round_number
        >>> round_number(17.2, 23.9).name, round_number(0.0312, 0.0361).name, round_number(12, 13).name
        ('20', '0.035', '13')
    """
    if low < 0 <= high:
        return Limit(0.0, "0")
    exponent = math.floor(math.log10(max(abs(low), abs(high)))) + 1
    for power in range(exponent, exponent - 17, -1):
        for digit in (1, 5, 2):  # steps of 100, 50, 20, 10 …
            step = digit * 10.0 ** (power if digit == 1 else power - 1)
            number = float(f"{math.floor(high / step) * step:.15g}")
            if low < number <= high:
                return Limit(number, f"{number:.10g}" if float(f"{number:.10g}") == number else repr(number))
    return Limit(high, repr(high))


def round_date(low: float, high: float) -> Limit:
    """Return the roundest date above `low`, up to `high`: the start of a year, else of a month, a day, an hour …

    Example:
        >>> from sensorium.evaluate.slices.limits import round_date
        >>> round_date(1_600_000_000, 1_620_000_000).name, round_date(1_600_000_000, 1_601_600_000).name
        ('2021', '2020-10')
    """
    moment = EPOCH + timedelta(seconds=high)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    starts = {
        "%Y": day.replace(month=1, day=1),
        "%Y-%m": day.replace(day=1),
        "%Y-%m-%d": day,
        "%Y-%m-%d %H:00": moment.replace(minute=0, second=0, microsecond=0),
        "%Y-%m-%d %H:%M": moment.replace(second=0, microsecond=0),
    }
    for form, start in starts.items():
        seconds = (start - EPOCH).total_seconds()
        if seconds > low:
            return Limit(seconds, start.strftime(form))
    return Limit(high, moment.isoformat(sep=" "))
