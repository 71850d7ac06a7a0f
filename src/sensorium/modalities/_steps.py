"""Steps of one series cell, and their reading from lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sensorium.findings import Unreadable
from sensorium.table import Floats

EMPTY = "the series has no steps"


@dataclass(frozen=True)
class Steps:
    """Content of a series cell.

    Attributes:
        values: float64[steps, channels], NaN for gaps.
        names: names of the channels; empty if they have none.
        skipped: columns of the file that do not hold numbers, such as a date.
        stamps: float64[steps], the timestamp of each step, NaN if missing; None without timestamps.
    """

    values: Floats
    names: Sequence[str] = ()
    skipped: Sequence[str] = ()
    stamps: Floats | None = None

    def in_order(self) -> Steps:
        """Sort by timestamp; steps with equal timestamps keep the order of the file.

        Raises:
            Unreadable: a step has no timestamp.
        """
        if self.stamps is None:
            return self
        if np.isnan(self.stamps).any():
            first = int(np.flatnonzero(np.isnan(self.stamps))[0])
            raise Unreadable("a step has no timestamp", f"fill or remove it; the first one is step {first + 1}")
        order = np.argsort(self.stamps, kind="stable")
        return replace(self, values=self.values[order], stamps=self.stamps[order])

    def since(self) -> Floats:
        """Return float64[steps, 1]: the time since the previous step (seconds, or the unit of the numbers); NaN first.

        Raises:
            Unreadable: the steps have no timestamps.
        """
        if self.stamps is None:
            raise Unreadable(
                "the series has no timestamps, which since=true needs",
                "set since=false, or set the option time to the name of the timestamps",
            )
        return np.diff(self.stamps, prepend=np.nan)[:, None]

    def select(self, names: Sequence[str]) -> Floats:
        """Return the channels of these names, in this order; all channels if either side has no names.

        Raises:
            Unreadable: the file lacks a channel.
        """
        if not names or not self.names:
            return self.values
        places = {name: place for place, name in enumerate(self.names)}
        for name in names:
            if name not in places:
                fault = "does not hold numbers" if name in self.skipped else "is not in the file"
                raise Unreadable(f"the channel {name!r} {fault}", f"the file has {', '.join(self.names)}")
        return self.values[:, [places[name] for name in names]]


def read_list(value: Any) -> Steps:
    """Read a list of numbers, or of lists of numbers of equal width; None is a gap.

    Raises:
        Unreadable: the list has no steps, unequal widths, or other values than numbers.
    """
    width = max((len(step) for step in value if isinstance(step, list)), default=0)
    if width:
        value = [[None] * width if step is None else step for step in value]
    try:
        values = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        reason = (
            "the steps have unequal widths or are not numbers"
            if width
            else "the list contains other values than numbers"
        )
        raise Unreadable(reason) from None
    return Steps(shaped(values))


def shaped(values: Floats) -> Floats:
    """Reshape to (steps, channels)."""
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2:
        raise Unreadable(f"the array has {values.ndim} dimensions instead of steps × channels")
    if not values.size:
        raise Unreadable(EMPTY)
    return values
