"""Add noise to numbers and vectors."""

from __future__ import annotations

import torch
from pydantic import PositiveFloat
from torch import Generator, Tensor

from sensorium.augment._base import Augmentation
from sensorium.batch import Cells
from sensorium.config import Probability

ACCEPTS = ("number", "vector")


class Noise(Augmentation):
    """Adds normal noise to standardised values, which regularises the network (Bishop 1995, "Training with Noise is
    Equivalent to Tikhonov Regularization").

    Args:
        chance: probability that a row is changed.
        deviation: standard deviation of the noise, in standard deviations of the training rows.
    """

    def __init__(self, *, chance: Probability = 1.0, deviation: PositiveFloat = 0.1) -> None:
        super().__init__(chance)
        self.deviation = deviation

    def change(self, cells: Cells, random: Generator) -> Tensor:
        return cells.values + self.deviation * torch.randn(cells.values.shape, generator=random, device=random.device)
