"""Data that a baseline learns from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.baselines._answers import distribution_of, loss
from sensorium.baselines._shared import SharedBlocks
from sensorium.metrics import safe_unit
from sensorium.prepare import Prepared
from sensorium.prepare.summaries import Summaries
from sensorium.table import Floats, Rows
from sensorium.tasks import Distribution, Task


@dataclass(frozen=True, eq=False)
class Job:
    """Data that a baseline learns from.

    Attributes:
        cells: the columns of all rows; or their summaries, which several fits share.
        target: [n, ...] of all rows, as the task encodes it.
        rows: positions of the rows to learn from.
        task: the fitted task.
        seed: random seed.
        threads: largest number of threads.
        blocks: what models of the same cells share.
    """

    cells: Prepared | Summaries
    target: npt.NDArray[Any]
    rows: Rows
    task: Task
    seed: int
    threads: int = 1
    blocks: SharedBlocks = field(default_factory=SharedBlocks)

    @property
    def several(self) -> bool:
        """Return whether there are several labels."""
        return self.target.ndim == 2

    @property
    def classes(self) -> int:
        """Return the number of classes of one target; 0 for a value."""
        return 2 if self.several else len(self.task.labels)

    @property
    def targets(self) -> list[npt.NDArray[Any]]:
        """Return the target, or that of each label, of all rows."""
        return [np.ascontiguousarray(own) for own in self.target.T] if self.several else [self.target]

    @property
    def unit(self) -> float:
        """Return the unit of errors, in which their squares neither overflow nor underflow: often 1; 1 for classes."""
        return 1.0 if self.classes else safe_unit(self.target)

    @property
    def distribution(self) -> Distribution:
        """Return the distribution of a value; of no use for classes."""
        return distribution_of(self.task)

    def loss(self, scores: Floats, target: npt.NDArray[Any]) -> float:
        """Return the sum over rows of the losses of scores of one target."""
        return loss(scores, target, self.classes, unit=self.unit, distribution=self.distribution)

    @property
    def weights(self) -> Floats:
        """Return float64[n] weights of the rows, from the class weights; ones for values and labels."""
        own = getattr(self.task, "weights", None)
        if own is None or self.several:
            return np.ones(len(self.target))
        return np.asarray(own, np.float64)[self.target]
