"""Swap noise: replace cells by those of other rows."""

from __future__ import annotations

from torch import Generator, Tensor

from sensorium.augment._base import Augmentation, uniform
from sensorium.batch import Cells, PackedCells
from sensorium.config import Probability

ACCEPTS = ("number", "category", "boolean", "date", "vector")


class Swap(Augmentation):
    """Swap noise: a cell takes the value of another row of the batch, a draw from the distribution of the column (the
    corruption of SCARF, Bahri et al. 2021, arXiv:2106.15147), independently for each column.

    Args:
        probability: probability that the cell of a row is replaced.
    """

    packs = True

    def __init__(self, *, probability: Probability = 0.1) -> None:
        super().__init__(probability)

    def change(self, cells: Cells, random: Generator) -> Tensor:
        return cells.values[_other_rows(cells.present, random)]

    def change_packed(self, cells: PackedCells, random: Generator) -> Tensor:
        rows = _other_rows(cells.present, random)  # (b, c)
        return cells.values.gather(0, rows[:, cells.layout.owner.to(rows.device)])


def _other_rows(present: Tensor, random: Generator) -> Tensor:
    """Draw a row that has a value for each cell of (b) or (b, c)."""
    there = present.logical_not().int().argsort(dim=0, stable=True)  # the rows with a value come first
    luck = uniform(0.0, 1.0, present.shape, random) * present.sum(0)
    return there.gather(0, luck.long())
