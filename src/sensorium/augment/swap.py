"""Swap noise: replace cells by those of other rows."""

from __future__ import annotations

from torch import Generator, Tensor

from sensorium.augment._base import Augmentation, uniform
from sensorium.batch import Cells
from sensorium.config import Probability

ACCEPTS = ("number", "category", "boolean", "date", "vector")


class Swap(Augmentation):
    """Swap noise: a cell takes the value of another row of the batch, a draw from the distribution of the column (the
    corruption of SCARF, Bahri et al. 2021, arXiv:2106.15147), independently for each column.

    Args:
        probability: probability that the cell of a row is replaced.
    """

    def __init__(self, *, probability: Probability = 0.1) -> None:
        super().__init__(probability)

    def change(self, cells: Cells, random: Generator) -> Tensor:
        there = cells.present.logical_not().int().argsort(stable=True)  # the rows with a value come first
        luck = uniform(0.0, 1.0, cells.present.shape, random) * cells.present.sum()
        return cells.values[there[luck.long()]]
