"""Cut rows into slices: by the value of a column, by ranges of numbers or dates, by the modalities that are present."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sensorium.evaluate.slices.limits import Limit, date_limits, number_limits
from sensorium.evaluate.units import Units
from sensorium.table import Floats, Rows, Truths

MISSING = "(missing)"
OTHERS = "(other values)"
VARIES = "(several values)"
NOTHING = "(nothing)"
PRESENT = "present"  # name of the cut by the modalities that are present
MAX_VALUES = 20  # values of a column that are slices of their own; the rarer ones are one slice together
FEW_VALUES = 8  # numbers of so many different values are cut by value, not by range


@dataclass(frozen=True, eq=False)
class Cut:
    """Slices of n rows by one column.

    Attributes:
        column: name of the column, or of the modality whose clusters these are.
        values: name of each of the k slices.
        rows: bool[k, n], rows of each slice.
        overlapping: whether a row can be in several slices, such as those of tags.
        merged: number of rare values that share the slice "(other values)"; of tags, those that have no slice.
    """

    column: str
    values: Sequence[str]
    rows: npt.NDArray[np.bool_]
    overlapping: bool = False
    merged: int = 0

    def take(self, rows: Rows) -> Cut:
        """Return the slices of some rows, without those that are empty."""
        return self._only(self.rows[:, rows], self.values)

    def of_units(self, units: Units) -> Cut:
        """Return slices of units.

        A unit is in a slice if all of its rows are; units whose rows are in different slices are a slice of their own.
        Of overlapping slices, it is in those that any of its rows is in.
        """
        lifted = np.stack([(units.any if self.overlapping else units.all)(own) for own in self.rows])
        if self.overlapping:
            return self._only(lifted, self.values)
        return self._only(np.vstack([lifted, ~lifted.any(0)]), [*self.values, VARIES])

    def _only(self, rows: npt.NDArray[np.bool_], values: Sequence[str]) -> Cut:
        kept = np.flatnonzero(rows.any(1)).tolist()
        return replace(self, rows=rows[kept], values=[values[place] for place in kept])


def cut_values(column: str, values: Sequence[str | None], *, in_order: bool = False) -> Cut:
    """Cut rows by value, the most frequent first; None is a missing value.

    Args:
        column: its name.
        values: value of each row.
        in_order: whether the values are numbers, whose slices are in increasing order.
    """
    names, codes, sizes = np.unique(
        [MISSING if value is None else value for value in values], return_inverse=True, return_counts=True
    )
    there = [place for place in np.argsort(-sizes, kind="stable") if names[place] != MISSING]
    shown, rare = there[:MAX_VALUES], there[MAX_VALUES:]
    if in_order:
        shown = sorted(shown, key=lambda place: float(names[place]))
    found = {str(names[place]): codes == place for place in shown}
    found |= {OTHERS: np.isin(codes, rare)} if rare else {}
    missing = np.array([value is None for value in values], bool)
    return _cut(column, found | ({MISSING: missing} if missing.any() else {}), merged=len(rare))


def cut_numbers(column: str, numbers: Floats) -> Cut:
    """Cut rows by ranges of numbers, with about as many rows each, or by value if few are different; NaN is missing."""
    known = numbers[np.isfinite(numbers)]
    if len(np.unique(known)) <= FEW_VALUES:
        return cut_values(column, [f"{n:.10g}" if np.isfinite(n) else None for n in numbers], in_order=True)
    return _ranges(column, numbers, number_limits(known))


def cut_dates(column: str, seconds: Floats) -> Cut:
    """Cut rows by ranges of dates, in seconds since 1970, with about as many rows each; NaN is missing."""
    return _ranges(column, seconds, date_limits(seconds[np.isfinite(seconds)]))


def cut_sets(column: str, sets: Sequence[Sequence[str] | None]) -> Cut:
    """Cut rows by the members of their sets, such as tags: one slice per member; None is a missing set."""
    counts: dict[str, int] = {}
    for members in sets:
        for member in {*(members or ())}:
            counts[member] = counts.get(member, 0) + 1
    usual = sorted(counts, key=lambda name: (-counts[name], name))[:MAX_VALUES]
    found = {name: np.array([name in (members or ()) for members in sets], bool) for name in usual}
    missing = np.array([members is None for members in sets], bool)
    cut = _cut(column, found | ({MISSING: missing} if missing.any() else {}), merged=len(counts) - len(usual))
    return replace(cut, overlapping=True)


def cut_present(modalities: Mapping[str, Truths]) -> Cut:
    """Cut rows by the modalities that they have: name → bool[n], whether the row has it."""
    there = np.stack([*modalities.values()], 1)
    names = [" + ".join(np.array([*modalities])[row]) or NOTHING for row in there]
    return cut_values(PRESENT, names)


def cut_codes(column: str, codes: Rows, values: Sequence[str]) -> Cut:
    """Cut rows by codes from 0 to k − 1, such as clusters; a row with a negative code is in no slice."""
    return _cut(column, {value: codes == place for place, value in enumerate(values)})


def _ranges(column: str, numbers: Floats, limits: Sequence[Limit]) -> Cut:
    """Cut rows at limits, each of which begins a range."""
    known = np.isfinite(numbers)
    places = np.searchsorted([limit.value for limit in limits], numbers, side="right")
    found = {name: known & (places == place) for place, name in enumerate(_names(limits))}
    return _cut(column, found | ({MISSING: ~known} if not known.all() else {}))


def _names(limits: Sequence[Limit]) -> list[str]:
    if not limits:
        return ["(any value)"]
    between = [f"{low.name} to < {high.name}" for low, high in pairwise(limits)]
    return [f"< {limits[0].name}", *between, f"≥ {limits[-1].name}"]


def _cut(column: str, found: Mapping[str, Truths], *, merged: int = 0) -> Cut:
    rows = np.stack([*found.values()]) if found else np.zeros((0, 0), bool)
    return Cut(column, [*found], rows, merged=merged)
