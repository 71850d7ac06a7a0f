"""Regression: one number, in the unit of the target."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, PositiveFloat

from sensorium.config import set_both
from sensorium.findings import Guess, Problem
from sensorium.modalities.number import Number, for_target, infer_notation, mean_and_deviation, read_numbers
from sensorium.table import Column, Floats, Note
from sensorium.tasks._bias import POINTS, error_points
from sensorium.tasks._choose_transform import ChosenTransform, Setting, choose_transform
from sensorium.tasks._classes import FEW, count_labels
from sensorium.tasks._tails import has_heavy_tails, median_and_spread
from sensorium.tasks._transforms import SavedTransform, Transform
from sensorium.tasks._unread_numbers import unread_numbers
from sensorium.tasks._value import Distribution, Value, learn_values, may_be_counts

if TYPE_CHECKING:
    from torch import Tensor

CODES, MOSTLY = 0.5, 0.6  # how sure text is of numbers: below it is of codes; from here on few cells are other text
UNCHANGED = f"{set_both('train.target_transform', 'none')} trains on the amounts as they are"
SQUARED = f"{set_both('train.loss', 'squared')} uses the squared error"
DELTA = 1.0  # error, in deviations of the target, beyond which the Huber loss is linear
CHUNK = 4096  # rows whose predictions are corrected at a time: bounds the memory
COUNTS = "whole numbers from 0 or 1 on are read as amounts; --task count if they count events"
SETTINGS = ("train.target_transform", "train.loss", "train.outliers")
TRAITS = ("an amount",)


@dataclass(frozen=True)
class Regression(Value):
    """Regression by squared error or Huber loss on the standardized target; predictions are in the target's unit.

    A skewed target is transformed before it is standardized (see `Transform`). The inverse of a mean on the transformed
    scale is not the mean of the target, so predictions are averages of the inverse over the distribution of errors (see
    `error_points`). Huber 1964, "Robust estimation of a location parameter".

    Attributes:
        mean, deviation: statistics of the training rows' target, after the transform and without outliers unless they
            are kept; median and scaled interquartile range if the loss is robust.
        transform: transform of the target (`Transform.to_json`); empty without one.
        robust: whether the loss is Huber's.
        errors: points of the distribution of errors, in units of the logits; empty before training.
        choices: findings about the transform and the loss, as pairs of reason and cure.
    """

    watch: ClassVar[str] = "rmse"
    distribution: ClassVar[Distribution] = "normal"

    mean: float
    deviation: PositiveFloat
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
            return Guess(0.75, f"{column.distinct:,} different whole numbers", COUNTS if may_be_counts(column) else "")
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
        """Learn mean, deviation, transform and notation from the training rows.

        Args:
            column: training rows.
            class_weight: ignored.
            keep_outliers: whether values that are far from all others are used like any other.
            target_transform: transform of the target; `auto` chooses by its distribution.
            loss: loss of the standardized target; `auto` uses Huber's where the target has heavy tails.

        Raises:
            SchemaError: the cells are dates, or negative numbers whose logarithm is asked for.
        """
        found = learn_values(column, keep_outliers=keep_outliers)
        chosen = choose_transform(found.values, target_transform, column.name)
        return cls(0.0, 1.0, **found.learned)._scaled(found.values, chosen, loss).looked_at(column)

    def _scaled(self, values: Floats, chosen: ChosenTransform, loss: str) -> Self:
        """Return the task with a transform, a loss, and mean and deviation of the transformed values."""
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

    @property
    def target_transform(self) -> Transform | None:
        """Return the transform of the target."""
        return Transform.from_json(self.transform) if self.transform else None

    def standardized(self, values: Floats) -> Floats:
        """Return values as the logits predict them: transformed if the target is, and standardized."""
        transform, values = self.target_transform, np.asarray(values, np.float64)
        transformed = values if transform is None else transform.forward(values)
        return np.asarray((transformed - self.mean) / self.deviation, np.float64)

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        import torch
        from torch.nn import functional

        transform = self.target_transform
        values = target if transform is None else transform.forward(target, torch)
        scaled = ((values - self.mean) / self.deviation).to(logits.dtype)
        if self.robust:
            return functional.huber_loss(logits[:, 0], scaled, delta=DELTA)
        return (logits[:, 0] - scaled).square().mean()

    @property
    def corrects_bias(self) -> bool:
        return bool(self.transform)

    def corrected(self, logits: npt.NDArray[np.floating[Any]], target: npt.NDArray[Any]) -> Self:
        if not self.corrects_bias:
            return self
        return replace(self, errors=error_points(self.standardized(target) - logits[:, 0].astype(np.float64)))

    def scores(self, logits: npt.NDArray[np.floating[Any]]) -> Floats:
        transform, plain = self.target_transform, logits[:, 0].astype(np.float64)
        if transform is None:
            return plain * self.deviation + self.mean
        errors, found = np.array(self.errors or [0.0]), np.empty(len(plain))
        for start in range(0, len(plain), CHUNK):
            part = plain[start : start + CHUNK, None] + errors
            with np.errstate(over="ignore"):  # the inverse clips what is infinite
                values = transform.inverse(part * self.deviation + self.mean)
            found[start : start + CHUNK] = (values / len(errors)).sum(1)  # the sum of the largest values overflows
        return np.asarray(np.clip(found, transform.lowest, transform.highest), np.float64)

    def findings(self, column: str) -> list[Problem]:
        return [*super().findings(column), *(Problem(None, column, reason, cure) for reason, cure in self.choices)]

    def describe(self) -> str:
        transform = self.target_transform
        names = ("median", "spread") if self.robust else ("mean", "standard deviation")
        of = f" of {transform.describe()}" if transform else ""
        return f"{names[0]} {self.mean:.4g}, {names[1]} {self.deviation:.4g}{of}"


def _claim_text(column: Column) -> Guess | None:
    """Claim text of numbers, unless it has only a few different integers."""
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
    why = unread_numbers(column, one_currency=True)
    return Guess(0.0, "not amounts", why) if why else None


def _in_words(different: int, whole: bool) -> str:
    return f"{different:,} different whole numbers" if whole else "numbers with decimals"
