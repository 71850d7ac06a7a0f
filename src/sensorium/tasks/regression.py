"""Regression: one number, in the unit of the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat

from sensorium.config import set_both
from sensorium.errors import SchemaError
from sensorium.findings import Guess, Problem, be, count
from sensorium.modalities.number import (
    Number,
    for_target,
    infer_notation,
    mean_and_deviation,
    notes,
    number_sentinels,
    read_numbers,
    sentinel_note,
    survey_column,
)
from sensorium.table import LEGACY, Column, Floats, Notation, Note, SavedNotation
from sensorium.tasks._amounts import AS_NUMBER, holds_dates, not_amounts
from sensorium.tasks._base import EncodedTarget, Task
from sensorium.tasks._classes import FEW, count_labels
from sensorium.tasks._outliers import far_values, reach_of

if TYPE_CHECKING:
    from torch import Tensor

CODES, MOSTLY = 0.5, 0.6  # how sure text is of numbers: below it is of codes; from here on few cells are other text
SHOWN = 3  # outliers that a message names
KEEP = f"{set_both('train.outliers', 'keep')} trains on them"


@dataclass(frozen=True)
class Regression(Task):
    """Regression by squared error on the standardized target; predictions are in the target's unit.

    Attributes:
        mean, deviation: statistics of the training rows' target, without outliers unless they are kept.
        middle, reach: median of these rows, and the distance from it beyond which a label is an outlier; a reach of 0
            disables the detection.
        keep: whether outliers are used for training.
        outliers: distinct outliers among the rows of `looked_at`, the farthest first.
        outlying, rows: number of rows with an outlier, and number of all rows.
        notation: how the training rows write numbers (`Notation.to_json`).
        notes: findings about the notation, as pairs of reason and cure.
    """

    watch: ClassVar[str] = "rmse"

    mean: float
    deviation: PositiveFloat
    middle: float = 0.0
    reach: NonNegativeFloat = 0.0
    keep: bool = False
    outliers: list[float] = field(default_factory=list)
    outlying: NonNegativeInt = 0
    rows: NonNegativeInt = 0
    notation: SavedNotation = field(default_factory=LEGACY.to_json)
    notes: list[Note] = field(default_factory=list)

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if column.is_string or column.spelling is not None:
            return _claim_text(column) or _refuse(column)
        if not column.is_number:
            return _refuse(column)
        if column.is_whole:
            return Guess(0.75, f"{column.distinct:,} different whole numbers")
        return Guess(0.9, "numbers with decimals")

    @classmethod
    def learn(cls, column: Column, class_weight: str, *, keep_outliers: bool = False) -> Self:
        """Learn scale and notation from the training rows.

        Args:
            column: training rows.
            class_weight: ignored.
            keep_outliers: whether values that are far from all others are used like any other.

        Raises:
            SchemaError: the cells are dates.
        """
        if holds_dates(column):
            raise SchemaError(
                "the target contains dates or times", place=f"column {column.name!r}", rule="numbers", cure=AS_NUMBER
            )
        found, notation = survey_column(column), infer_notation(column)
        cells, _ = read_numbers(column, notation)
        values = cells[np.isfinite(cells)]
        far = far_values(values)
        kept = values if keep_outliers or not far.any() else values[~far]
        told = [[for_target(text, column.name) for text in note] for note in notes(found, column.name)] if found else []
        if codes := number_sentinels(column, np.where(np.isin(cells, values[far]), np.nan, cells)):
            told.append([*sentinel_note(codes, column.name, is_target=True)])
        known = cls(*mean_and_deviation(kept), *reach_of(values, far), keep_outliers)
        return replace(known, notation=notation.to_json(), notes=told).looked_at(column)

    def looked_at(self, labels: Column) -> Self:
        values, _ = read_numbers(labels, Notation.from_json(self.notation))
        values = values[np.isfinite(values)]
        far = values[self._is_far(values)]
        different = sorted(set(far.tolist()), key=lambda value: -abs(value - self.middle))
        return replace(self, outliers=different[:SHOWN], outlying=len(far), rows=len(values))

    def _is_far(self, values: Floats) -> npt.NDArray[np.bool_]:
        return np.abs(values - self.middle) > self.reach if self.reach else np.zeros(len(values), bool)

    @property
    def outputs(self) -> int:
        return 1

    def encode(self, column: Column) -> EncodedTarget:
        values, problems = read_numbers(self.reading.apply(column), Notation.from_json(self.notation))
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

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        scaled = ((target - self.mean) / self.deviation).to(logits.dtype)
        return (logits[:, 0] - scaled).square().mean()

    def scores(self, logits: npt.NDArray[np.float32]) -> Floats:
        return logits[:, 0].astype(np.float64) * self.deviation + self.mean

    def prior(self, values: npt.NDArray[Any]) -> list[float]:
        return [mean_and_deviation(values)[0]]

    def predicted(self, scores: Floats) -> npt.NDArray[Any]:
        return scores

    def decode(self, predicted: npt.NDArray[Any]) -> Sequence[Any]:
        return list(predicted.tolist())

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

    def describe(self) -> str:
        return f"mean {self.mean:.4g}, standard deviation {self.deviation:.4g}"


def _infinite(column: Column) -> list[Problem]:
    """Report infinite labels. In a fit, the reading has removed and reported them before."""
    if not column.is_float:
        return []
    cells = column.data.to_numpy(zero_copy_only=False)
    return [
        Problem(int(row), column.name, "infinite: read as missing", "", str(cells[row]))
        for row in np.flatnonzero(np.isinf(cells))
    ]


def _claim_text(column: Column) -> Guess | None:
    """Claim text of numbers as amounts, unless it has only a few different integers."""
    guess = Number.looks_like(column)
    if guess is None or guess.confidence < CODES:
        return None
    values, _ = read_numbers(column, infer_notation(column))
    different = np.unique(values[np.isfinite(values)])
    whole = bool((np.mod(different, 1) == 0).all())
    said = guess.reason if "as text" in guess.reason or guess.caution else _in_words(len(different), whole)
    reason, caution = (for_target(text, column.name) for text in (said, guess.caution))
    if column.spelling is not None and count_labels(column) > column.distinct:
        return Guess(0.6, reason, caution)  # few, of one value in several spellings
    if whole and len(different) <= FEW:
        return Guess(0.75, reason)
    return Guess(0.92 if guess.confidence >= MOSTLY else guess.confidence, reason, caution)


def _refuse(column: Column) -> Guess | None:
    why = not_amounts(column, one_currency=True)
    return Guess(0.0, "not amounts", why) if why else None


def _in_words(different: int, whole: bool) -> str:
    return f"{different:,} different whole numbers" if whole else "numbers with decimals"
