"""Flip images left to right, or upside down."""

from __future__ import annotations

from typing import Literal

from torch import Generator, Tensor

from sensorium.augment._base import Augmentation
from sensorium.augment._pictures import on_planes
from sensorium.batch import Cells
from sensorium.config import Probability

ACCEPTS = ("image", "images", "video", "scan")


class Flip(Augmentation):
    """Random flips (Krizhevsky et al. 2012). Not for images with a fixed orientation: letters, digits, chest X-rays.

    Args:
        probability: probability that a row is changed.
        direction: flip left to right, or upside down.
    """

    def __init__(
        self, *, probability: Probability = 0.5, direction: Literal["horizontal", "vertical"] = "horizontal"
    ) -> None:
        super().__init__(probability)
        self.axis = -1 if direction == "horizontal" else -2

    def change(self, cells: Cells, random: Generator) -> Tensor:
        return on_planes(cells.values, lambda planes: planes.flip(self.axis))
