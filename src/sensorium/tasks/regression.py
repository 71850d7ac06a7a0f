"""An amount: one number, in the unit of the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from sensorium.modalities.number import mean_and_deviation, numbers
from sensorium.schema import Guess
from sensorium.table import Column
from sensorium.tasks._base import EncodedTarget, Floats, Task, is_whole

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Regression(Task):
    """Squared error on the standardised target; answers come back in its own unit.

    Attributes:
        mean, deviation: of the training rows' target.
    """

    watch: ClassVar[str] = "rmse"

    mean: float
    deviation: float

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        if not (column.is_integer or column.is_float):
            return None
        if is_whole(column):
            return Guess(0.75, f"{column.distinct:,} different whole numbers")
        return Guess(0.9, "numbers with decimals")

    @classmethod
    def learn(cls, column: Column, class_weight: str) -> Self:
        values, _ = numbers(column)
        return cls(*mean_and_deviation(values[np.isfinite(values)]))

    @property
    def outputs(self) -> int:
        return 1

    def encode(self, column: Column) -> EncodedTarget:
        values, problems = numbers(column)
        known = np.isfinite(values)
        return EncodedTarget(np.where(known, values, 0), known, problems)

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

    def describe(self) -> str:
        return f"mean {self.mean:.4g}, standard deviation {self.deviation:.4g}"
