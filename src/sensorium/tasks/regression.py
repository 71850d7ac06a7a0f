"""Regression: one number, in the unit of the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat

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
from sensorium.tasks._bias import POINTS, error_points
from sensorium.tasks._choose_transform import ChosenTransform, Setting, choose_transform
from sensorium.tasks._classes import FEW, count_labels
from sensorium.tasks._outliers import far_values, reach_of
from sensorium.tasks._tails import has_heavy_tails, median_and_spread
from sensorium.tasks._transforms import SavedTransform, Transform

if TYPE_CHECKING:
    from torch import Tensor

CODES, MOSTLY = 0.5, 0.6  # how sure text is of numbers: below it is of codes; from here on few cells are other text
SHOWN = 3  # outliers that a message names
KEEP = f"{set_both('train.outliers', 'keep')} trains on them"
UNCHANGED = f"{set_both('train.target_transform', 'none')} trains on the amounts as they are"
SQUARED = f"{set_both('train.loss', 'squared')} uses the squared error"
DELTA = 1.0  # error, in deviations of the target, beyond which the Huber loss is linear
CHUNK = 4096  # rows whose predictions are corrected at a time: bounds the memory
SETTINGS = ("train.target_transform", "train.loss", "train.outliers")


@dataclass(frozen=True)
class Regression(Task):
    """Regression by squared error or Huber loss on the standardized target; predictions are in the target's unit.

    A skewed target is transformed before it is standardized (see `Transform`). The inverse of a mean on the transformed
    scale is not the mean of the target, so predictions are averages of the inverse over the distribution of errors (see
    `error_points`). Huber 1964, "Robust estimation of a location parameter".

    Attributes:
        mean, deviation: statistics of the training rows' target, after the transform and without outliers unless they
            are kept; median and scaled interquartile range if the loss is robust.
        middle, reach: median of these rows, and the distance from it beyond which a label is an outlier; a reach of 0
            disables the detection.
        keep: whether outliers are used for training.
        outliers: distinct outliers among the rows of `looked_at`, the farthest first.
        outlying, rows: number of rows with an outlier, and number of all rows.
        notation: how the training rows write numbers (`Notation.to_json`).
        notes: findings about the notation, as pairs of reason and cure.
        transform: transform of the target (`Transform.to_json`); empty without one.
        robust: whether the loss is Huber's.
        errors: points of the distribution of errors, in units of the logits; empty before training.
        choices: findings about the transform and the loss, as pairs of reason and cure.
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
    transform: SavedTransform = field(default_factory=dict)
    robust: bool = False
    errors: Annotated[list[float], Field(max_length=POINTS)] = field(default_factory=list)
    choices: list[Note] = field(default_factory=list)

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
    def learn(
        cls,
        column: Column,
        class_weight: str,
        *,
        keep_outliers: bool = False,
        target_transform: Setting = "auto",
        loss: Literal["auto", "squared", "huber"] = "auto",
    ) -> Self:
        """Learn scale, transform and notation from the training rows.

        Args:
            column: training rows.
            class_weight: ignored.
            keep_outliers: whether values that are far from all others are used like any other.
            target_transform: transform of the target; `auto` chooses by its distribution.
            loss: loss on the standardized scale; `auto` uses Huber's where the target has heavy tails.

        Raises:
            SchemaError: the cells are dates, or negative amounts whose logarithm is asked for.
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
        known = cls(0.0, 1.0, *reach_of(values, far), keep_outliers, notation=notation.to_json(), notes=told)
        return known._scaled(kept, choose_transform(kept, target_transform, column.name), loss).looked_at(column)

    def _scaled(self, values: Floats, chosen: ChosenTransform, loss: str) -> Self:
        """Return the task with a transform, a loss, and the scale of the transformed values."""
        transform = chosen.transform
        scaled = values if transform is None else transform.forward(values)
        robust = loss == "huber" or (loss == "auto" and has_heavy_tails(scaled))
        mean, deviation = median_and_spread(scaled) if robust else mean_and_deviation(scaled)
        choices = list[Note]()
        if transform and chosen.reason:
            choices.append([f"{chosen.reason}: trained on {transform.describe()}", UNCHANGED])
        if robust and loss == "auto":
            choices.append(["the target has heavy tails: trained with the Huber loss", SQUARED])
        return replace(
            self,
            mean=mean,
            deviation=deviation,
            transform=transform.to_json() if transform else {},
            robust=robust,
            choices=choices,
        )

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

    @property
    def amounts(self) -> Transform | None:
        """Return the transform of the target."""
        return Transform.from_json(self.transform) if self.transform else None

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        import torch
        from torch.nn import functional

        transform = self.amounts
        values = target if transform is None else transform.forward(target, torch)
        scaled = ((values - self.mean) / self.deviation).to(logits.dtype)
        if self.robust:
            return functional.huber_loss(logits[:, 0], scaled, delta=DELTA)
        return (logits[:, 0] - scaled).square().mean()

    @property
    def corrects_bias(self) -> bool:
        return bool(self.transform)

    def corrected(self, logits: npt.NDArray[np.floating[Any]], target: npt.NDArray[Any]) -> Self:
        transform = self.amounts
        if transform is None:
            return self
        truth = (transform.forward(target.astype(np.float64)) - self.mean) / self.deviation
        return replace(self, errors=error_points(truth - logits[:, 0].astype(np.float64)))

    def scores(self, logits: npt.NDArray[np.floating[Any]]) -> Floats:
        transform, plain = self.amounts, logits[:, 0].astype(np.float64)
        if transform is None:
            return plain * self.deviation + self.mean
        errors, found = np.array(self.errors or [0.0]), np.empty(len(plain))
        for start in range(0, len(plain), CHUNK):
            part = plain[start : start + CHUNK, None] + errors
            amounts = transform.inverse(part * self.deviation + self.mean)
            found[start : start + CHUNK] = (amounts / len(errors)).sum(1)  # the sum of the largest amounts overflows
        return np.asarray(np.clip(found, transform.lowest, transform.highest), np.float64)

    def prior(self, values: npt.NDArray[Any]) -> list[float]:
        return [mean_and_deviation(values)[0]]

    def predicted(self, scores: Floats) -> npt.NDArray[Any]:
        return scores

    def decode(self, predicted: npt.NDArray[Any]) -> Sequence[Any]:
        return list(predicted.tolist())

    def findings(self, column: str) -> list[Problem]:
        about_notation = [Problem(None, column, reason, cure) for reason, cure in self.notes]
        about_choices = [Problem(None, column, reason, cure) for reason, cure in self.choices]
        return [*super().findings(column), *about_notation, *self._about_outliers(column), *about_choices]

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
        transform, names = self.amounts, ("median", "spread") if self.robust else ("mean", "standard deviation")
        of = f" of {transform.describe()}" if transform else ""
        return f"{names[0]} {self.mean:.4g}, {names[1]} {self.deviation:.4g}{of}"


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
