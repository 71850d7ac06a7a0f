"""Tasks whose labels are numbers."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeFloat, NonNegativeInt

from sensorium.config import set_both
from sensorium.errors import SchemaError
from sensorium.findings import Problem, be, count
from sensorium.modalities.number import (
    for_target,
    infer_notation,
    mean_and_deviation,
    notes,
    number_sentinels,
    read_numbers,
    sentinel_note,
    survey_column,
)
from sensorium.registry import tasks
from sensorium.table import LEGACY, Column, Floats, Notation, Note, SavedNotation
from sensorium.tasks._base import EncodedTarget, Task
from sensorium.tasks._outliers import far_values, reach_of
from sensorium.tasks._unread_numbers import AS_NUMBER, holds_dates

Distribution: TypeAlias = Literal["normal", "poisson"]

SHOWN = 3  # outliers that a message names
LARGEST = 1e305  # size of an amount: differences and sums of larger ones overflow
SMALL = 30  # median of whole numbers up to which they look like counts
KEEP = f"{set_both('train.outliers', 'keep')} trains on them"


@dataclass(frozen=True)
class Value(Task):
    """Base of tasks whose labels are numbers.

    Class attributes:
        distribution: distribution of the target, by which classical models are fitted.

    Attributes:
        middle, reach: median of the training rows without outliers, and the distance from it beyond which a label is an
            outlier; a reach of 0 disables the detection.
        keep: whether outliers are used for training.
        outliers: distinct outliers among the rows of `looked_at`, the farthest first.
        outlying, rows: number of rows with an outlier, and number of all rows.
        notation: how the training rows write numbers (`Notation.to_json`).
        notes: findings about the notation, as pairs of reason and cure.
    """

    distribution: ClassVar[Distribution]

    middle: float = field(default=0.0, kw_only=True)
    reach: NonNegativeFloat = field(default=0.0, kw_only=True)
    keep: bool = field(default=False, kw_only=True)
    outliers: list[float] = field(default_factory=list, kw_only=True)
    outlying: NonNegativeInt = field(default=0, kw_only=True)
    rows: NonNegativeInt = field(default=0, kw_only=True)
    notation: SavedNotation = field(default_factory=LEGACY.to_json, kw_only=True)
    notes: list[Note] = field(default_factory=list, kw_only=True)

    @abstractmethod
    def standardized(self, values: Floats) -> Floats:
        """Return values as models are fitted to them: transformed, and standardized or divided by their mean."""

    @property
    def outputs(self) -> int:
        return 1

    def looked_at(self, labels: Column) -> Self:
        values, _ = _read_amounts(labels, Notation.from_json(self.notation))
        values = values[np.isfinite(values)]
        far = values[self._is_far(values)]
        different = sorted(set(far.tolist()), key=lambda value: -abs(value - self.middle))
        return replace(self, outliers=different[:SHOWN], outlying=len(far), rows=len(values))

    def _is_far(self, values: Floats) -> npt.NDArray[np.bool_]:
        return np.abs(values - self.middle) > self.reach if self.reach else np.zeros(len(values), bool)

    def encode(self, column: Column) -> EncodedTarget:
        values, problems = _read_amounts(self.reading.apply(column), Notation.from_json(self.notation))
        known = np.isfinite(values)
        return EncodedTarget(np.where(known, values, 0), known, [*_infinite(column), *problems])

    def without_outliers(self, target: EncodedTarget, rows: npt.NDArray[np.bool_]) -> EncodedTarget:
        far = target.known & rows & self._is_far(target.values)
        if self.keep or not far.any():
            return target
        reason = "the label is far from all others: the row is not used for training"
        outlier_problems = [
            Problem(int(row), "", reason, KEEP, f"{target.values[row]:.10g}") for row in np.flatnonzero(far)
        ]
        return EncodedTarget(
            np.where(far, 0, target.values), target.known & ~far, [*target.problems, *outlier_problems]
        )

    def prior(self, values: npt.NDArray[Any]) -> list[float]:
        return [mean_and_deviation(values)[0]]

    def findings(self, column: str) -> list[Problem]:
        about_notation = [Problem(None, column, reason, cure) for reason, cure in self.notes]
        return [*super().findings(column), *about_notation, *self._about_outliers(column)]

    def _about_outliers(self, column: str) -> list[Problem]:
        if not self.outlying:
            return []
        shown = ", ".join(f"{value:.10g}" for value in self.outliers)
        number = f"{self.outlying:,} of {count(self.rows, 'label')} {be(self.outlying)}"
        reason, cure = f"{number} far from all others, such as {shown}", "correct the table"
        if not self.keep:
            reason = f"{reason}; rows with such labels are not used for training"
            cure = f"correct them, or list codes for a missing value in table.missing; {KEEP}"
        return [Problem(None, column, reason, cure)]


def is_value(task: str) -> bool:
    """Return whether the labels of a registered task are numbers."""
    return issubclass(tasks.load(task), Value)


@dataclass(frozen=True)
class LearnedValues:
    """Numbers of the training rows.

    Attributes:
        values: finite numbers, without outliers unless they are kept.
        learned: what a task learned about the notation and the outliers, by the names of its fields.
    """

    values: Floats
    learned: dict[str, Any]


def learn_values(column: Column, *, keep_outliers: bool) -> LearnedValues:
    """Learn the notation of the training rows, and which of their numbers are outliers.

    Args:
        column: training rows.
        keep_outliers: whether values that are far from all others are used like any other.

    Raises:
        SchemaError: the cells are dates.
    """
    if holds_dates(column):
        raise SchemaError(
            "the target contains dates or times", place=f"column {column.name!r}", rule="numbers", cure=AS_NUMBER
        )
    found, notation = survey_column(column), infer_notation(column)
    cells, _ = _read_amounts(column, notation)
    values = cells[np.isfinite(cells)]
    far = far_values(values)
    kept = values if keep_outliers or not far.any() else values[~far]
    told = [[for_target(text, column.name) for text in note] for note in notes(found, column.name)] if found else []
    if codes := number_sentinels(column, np.where(np.isin(cells, values[far]), np.nan, cells)):
        told.append([*sentinel_note(codes, column.name, is_target=True)])
    middle, reach = reach_of(values, far)
    learned = {"middle": middle, "reach": reach, "keep": keep_outliers, "notation": notation.to_json(), "notes": told}
    return LearnedValues(kept, learned)


def may_be_counts(column: Column) -> bool:
    """Return whether whole numbers look like counts: the smallest is 0 or 1, and most are small."""
    values = column.values.to_numpy()
    return bool(0 <= values.min() <= 1 and np.median(values) <= SMALL)


def _read_amounts(column: Column, notation: Notation) -> tuple[Floats, list[Problem]]:
    """Return the amounts of a column, NaN for those that cannot be used, and the problems of its cells."""
    values, problems = read_numbers(column, notation)
    too_large = np.flatnonzero(np.abs(values) > LARGEST)
    reason = f"beyond ±{LARGEST:g}, so that differences overflow: the row is not used"
    problems = [*problems, *(Problem(int(row), column.name, reason, "", f"{values[row]:.10g}") for row in too_large)]
    return np.where(np.abs(values) > LARGEST, np.nan, values), problems


def _infinite(column: Column) -> list[Problem]:
    """Report infinite labels. In a fit, the reading has removed and reported them before."""
    if not column.is_float:
        return []
    cells = column.data.to_numpy(zero_copy_only=False)
    return [
        Problem(int(row), column.name, "infinite: read as missing", "", str(cells[row]))
        for row in np.flatnonzero(np.isinf(cells))
    ]
