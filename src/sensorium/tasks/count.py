"""Counts: a whole number of events, 0 or more, such as visits per day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field

from sensorium.errors import SchemaError
from sensorium.findings import Problem
from sensorium.modalities.number import read_numbers
from sensorium.table import Column, Floats, Notation
from sensorium.tasks._base import EncodedTarget
from sensorium.tasks._value import Distribution, Value, learn_values

if TYPE_CHECKING:
    from torch import Tensor

LINEAR = 10.0  # logit from which the exponential in the loss continues as its tangent, so that it cannot overflow
LOWEST = -30.0  # logit below which a prediction does not fall
RANGE = 10.0  # largest prediction, as a multiple of the largest count of the training rows
MOST = 1e15  # largest count; beyond it, a float cannot tell two counts apart
Mean: TypeAlias = Annotated[float, Field(gt=0, le=MOST)]
RULE = "counts are whole numbers from 0 to 1e15"
SETTINGS = ("train.outliers",)
TRAITS = ("an amount",)


@dataclass(frozen=True)
class Count(Value):
    """Poisson regression with a logarithmic link (Nelder and Wedderburn 1972); predictions are means.

    With the logit z and the mean m of the training rows, a row has the mean m · exp(z). The loss is the negative log
    likelihood of the Poisson distribution divided by m, without terms that do not depend on z: exp(z) − z · y / m. The
    predicted means are consistent also if the variance of the counts exceeds their mean (Gourieroux, Monfort and
    Trognon 1984).

    Attributes:
        mean: mean of the training rows' counts, without outliers unless they are kept.
        largest: largest of these counts.
    """

    watch: ClassVar[str] = "mean_poisson_deviance"
    distribution: ClassVar[Distribution] = "poisson"

    mean: Mean
    largest: Mean

    def check(self) -> None:
        if self.largest < self.mean:
            raise ValueError("the largest count is below the mean")

    @classmethod
    def learn(cls, column: Column, class_weight: str, *, keep_outliers: bool = False) -> Self:
        """Learn mean and notation from the training rows.

        Args:
            column: training rows.
            class_weight: ignored.
            keep_outliers: whether values that are far from all others are used like any other.

        Raises:
            SchemaError: a label is not a whole number of at least 0, or all are 0.
        """
        found = learn_values(column, keep_outliers=keep_outliers)
        _check_counts(found.values, column.name)
        if not found.values.any():
            finding = "all counts of the training rows are 0" if len(found.values) else "no label is a number"
            raise SchemaError(finding, place=f"column {column.name!r}", rule=RULE)
        return cls(float(found.values.mean()), float(found.values.max()), **found.learned).looked_at(column)

    def looked_at(self, labels: Column) -> Self:
        values, _ = read_numbers(labels, Notation.from_json(self.notation))
        _check_counts(values[np.isfinite(values)], labels.name)
        return super().looked_at(labels)

    def encode(self, column: Column) -> EncodedTarget:
        found = super().encode(column)
        wrong = found.known & ~_are_counts(found.values)
        reason = "not a whole number from 0 to 1e15: the row is not scored"
        problems = [
            Problem(int(row), column.name, reason, "", f"{found.values[row]:.10g}") for row in np.flatnonzero(wrong)
        ]
        return EncodedTarget(np.where(wrong, 0, found.values), found.known & ~wrong, [*found.problems, *problems])

    def standardized(self, values: Floats) -> Floats:
        """Return counts divided by their mean: classical models predict the logarithm of its expectation."""
        return np.asarray(values, np.float64) / self.mean

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        logit, scaled = logits[:, 0], (target / self.mean).to(logits.dtype)
        start = logit.clamp(max=LINEAR)
        rate = start.exp() * (1 + (logit - start))
        return (rate - scaled * logit).mean()

    def scores(self, logits: npt.NDArray[np.floating[Any]]) -> Floats:
        """Return means float64[n], above 0 and at most ten times the largest count of the training rows."""
        highest = math.log(RANGE * self.largest) - math.log(self.mean)
        return np.asarray(np.exp(np.clip(logits[:, 0].astype(np.float64), LOWEST, highest)) * self.mean, np.float64)

    def check_prior(self, prior: Sequence[float]) -> None:
        if prior[0] < 0:
            raise ValueError(f"a prior score of {prior[0]:g}, which is negative")

    def describe(self) -> str:
        return f"counts with the mean {self.mean:.4g}"


def _are_counts(values: Floats) -> npt.NDArray[np.bool_]:
    return (values >= 0) & (values <= MOST) & (np.mod(values, 1) == 0)


def _check_counts(values: Floats, column: str) -> None:
    wrong = values[~_are_counts(values)]
    if len(wrong):
        kind = "negative" if wrong[0] < 0 else "too large" if wrong[0] > MOST else "fractional"
        finding = f"{len(wrong):,} of {len(values):,} labels are no counts; {wrong[0]:.10g} is {kind}"
        cure = "--task regression (Python: task='regression'), or correct the table"
        raise SchemaError(finding, place=f"column {column!r}", rule=RULE, cure=cure)
