"""Folds of a cross-validation, and the mean of each metric over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from sensorium.evaluate.evaluation import Evaluation
from sensorium.evaluate.resampled_t import FoldSizes, fold_interval, mean_of_folds

if TYPE_CHECKING:
    from sensorium.planning import PlannedFolds


@dataclass(frozen=True)
class CrossValidation:
    """Folds that models were trained and tested on.

    Attributes:
        folds: number of folds of each repeat.
        repeats: how often the rows were cut into folds.
        how: the rule that cut them.
        parts: number of training, validation and test rows of each fold, repeat after repeat.
    """

    folds: int
    repeats: int
    how: str
    parts: list[dict[str, int]]

    @classmethod
    def of(cls, planned: PlannedFolds) -> Self:
        """Describe planned folds; rows are counted that have a label which the fold can use."""
        parts = [{name: len(plan.rows(name)) for name in plan.split.sizes()} for plan in planned.plans]
        return cls(planned.folds.count, planned.folds.repeats, planned.folds.how, parts)

    @property
    def sizes(self) -> FoldSizes:
        """Return the sizes by which intervals over folds are corrected; validation rows count as training rows."""
        return FoldSizes.of([p["train"] + p["validation"] for p in self.parts], [p["test"] for p in self.parts])

    @property
    def tested(self) -> int:
        """Return the number of rows that are tested in each repeat."""
        return sum(part["test"] for part in self.parts) // self.repeats

    def evaluate(self, metrics: Sequence[Mapping[str, float]]) -> Evaluation:
        """Return the mean of each metric over the folds, with its corrected interval.

        Args:
            metrics: test metrics of each fold.
        """
        values = {name: [own[name] for own in metrics] for name in metrics[0]}
        return Evaluation(
            self.tested,
            {name: mean_of_folds(own) for name, own in values.items()},
            {name: fold_interval(name, own, self.sizes) for name, own in values.items()},
            rows=f"test rows of {len(metrics)} folds",
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "folds": self.folds,
            "repeats": self.repeats,
            "rule": self.how,
            "rows": self.parts,
            "test_to_training": self.sizes.ratio,
        }
