"""Numbers of a column: scaled and without gaps for linear models, as they are for trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from sensorium.baselines._blocks import Block, Form, has_gaps, missing_as_nan
from sensorium.baselines._reduce import COMPONENTS, check_directions, principal_directions
from sensorium.prepare.summaries import Kind, Summary
from sensorium.table import Floats

WIDEST = 128  # a column of more numbers becomes principal components
LARGEST = 10.0  # deviations from the mean at which a number is cut
SKEWED = 1.0  # skewness above which the logarithm is taken
SMALLEST = 1e-9  # deviation, below which a number counts as constant
FARTHEST = 1e25  # centre of a number: divided by the smallest deviation, it is still a float32


@dataclass(frozen=True, eq=False)
class NumberBlock(Block):
    """Numbers of a column.

    Constant numbers, and those that repeat another number, are left out. Wide columns are reduced to principal
    components. For linear models, a signed logarithm is taken of skewed numbers, sign(z) · ln(1 + |z|) with
    z = (x − pivot) / unit; numbers are standardised and cut at ten deviations; missing ones are the mean.

    Attributes:
        selected: bool[f], the numbers of the column that are used, k of them.
        centre, spread: float32[k], by which they are standardised before they are reduced; empty if they are not.
        directions: float32[k, c], of the principal components; empty if they are not reduced.
        pivot, unit: float64[w], of the signed logarithm; a unit of 0 leaves a number as it is. Empty for trees.
        mean, scale: float64[w], by which numbers are standardised. Empty for trees.
    """

    kind: ClassVar[Kind] = "numbers"

    selected: npt.NDArray[np.bool_]
    centre: npt.NDArray[np.float32]
    spread: npt.NDArray[np.float32]
    directions: npt.NDArray[np.float32]
    pivot: npt.NDArray[np.float64]
    unit: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]

    def check(self) -> None:
        if self.selected.ndim != 1:
            raise ValueError("selected has several axes")
        reduced = (int(self.selected.sum()),) if self.directions.size else (0,)
        if self.centre.shape != reduced or self.spread.shape != reduced:
            raise ValueError("centre and spread do not match the selected numbers")
        check_directions(self.directions, reduced[0])
        scaled = (self.width,) if self.form == "linear" else (0,)
        if any(part.shape != scaled for part in (self.pivot, self.unit, self.mean, self.scale)):
            raise ValueError("pivot, unit, mean and scale do not match the width")
        if bool((self.scale < SMALLEST).any() or (self.unit < 0).any() or (self.spread < SMALLEST).any()):
            raise ValueError("a scale is not positive")
        if bool((np.abs(self.centre) > FARTHEST).any()):
            raise ValueError("a centre is out of range")

    @classmethod
    def learn(cls, column: Summary, form: Form, seed: int) -> Self:
        known = column.values[column.present]
        selected = _distinct(known)
        known = known[:, selected]
        centre, spread, directions = _reduction(known, seed)
        reduced = directions.size > 0
        if reduced:
            known = (known - centre) / spread @ directions
        scaling = _scaling(known.astype(np.float64), reduced) if form == "linear" else [np.zeros(0)] * 4
        return cls(form, has_gaps(column, form), selected, centre, spread, directions, *scaling)

    @property
    def width(self) -> int:
        return self.directions.shape[1] if self.directions.size else int(self.selected.sum())

    def _features(self, column: Summary) -> Any:
        if column.width != len(self.selected):
            raise ValueError(f"{column.width} numbers instead of {len(self.selected)}")
        found = column.values[:, self.selected]
        if self.directions.size:
            found = (found - self.centre) / self.spread @ self.directions
        if self.form == "trees":
            return missing_as_nan(found, column.present)
        scaled = (_signed_log(found.astype(np.float64), self.pivot, self.unit) - self.mean) / self.scale
        return np.where(column.present[:, None], scaled.clip(-LARGEST, LARGEST), 0)


def reduced_width(width: int) -> int:
    """Return the number of features that a column of so many numbers becomes, at most."""
    return width if width <= WIDEST else COMPONENTS


def _distinct(known: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Return which numbers differ between rows and from all numbers before them; a single number is always kept."""
    width = known.shape[1]
    if width == 1 or not len(known):
        return np.ones(width, np.bool_)
    columns = np.ascontiguousarray(known.T)
    first = {column.tobytes(): place for place, column in reversed([*enumerate(columns)])}
    return np.isin(np.arange(width), list(first.values())) & (np.ptp(columns, axis=1) > 0)


def _reduction(known: npt.NDArray[np.float32], seed: int) -> tuple[Any, Any, Any]:
    """Return centre, spread and directions of the principal components; empty for narrow or constant columns."""
    if known.shape[1] > WIDEST and len(known) > 1:
        centre, deviation = known.mean(0), known.std(0)
        spread = np.where(deviation > SMALLEST, deviation, np.float32(1))
        directions = principal_directions((known - centre) / spread, COMPONENTS, seed)
        if directions.size:
            return centre, spread, directions
    return np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros((0, 0), np.float32)


def _scaling(known: Floats, reduced: bool) -> list[Floats]:
    """Return pivot, unit, mean and scale. Principal components have one scale: it shows their importance."""
    width = known.shape[1]
    if not len(known):
        return [np.zeros(width), np.zeros(width), np.zeros(width), np.ones(width)]
    pivot, unit = (np.zeros(width), np.zeros(width)) if reduced else _logarithm(known)
    known = _signed_log(known, pivot, unit)
    deviation = known.std(0)
    if reduced:
        deviation = np.full(width, deviation.max(initial=0))
    return [pivot, unit, known.mean(0), np.where(deviation > SMALLEST, deviation, 1.0)]


def _logarithm(known: Floats) -> tuple[Floats, Floats]:
    """Return pivot and unit of skewed numbers: the end with many values, and the median distance from it."""
    deviation = known.std(0)
    standard = (known - known.mean(0)) / np.maximum(deviation, SMALLEST)
    skewness = np.where(deviation > SMALLEST, (standard**3).mean(0), 0)
    pivot = np.where(skewness > 0, known.min(0), known.max(0))
    distance = np.abs(known - pivot)
    distance[distance == 0] = np.nan
    unit = np.zeros(known.shape[1])
    for place in np.flatnonzero(np.abs(skewness) > SKEWED):
        unit[place] = np.nanmedian(distance[:, place])
    return pivot, unit


def _signed_log(values: Floats, pivot: Floats, unit: Floats) -> Floats:
    distance = (values - pivot) / np.where(unit > 0, unit, 1)
    return np.where(unit > 0, np.sign(distance) * np.log1p(np.abs(distance)), values)
