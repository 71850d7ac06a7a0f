"""Add noise to numbers and vectors."""

from __future__ import annotations

import torch
from pydantic import PositiveFloat
from torch import Generator, Tensor

from sensorium.augment._base import Augmentation
from sensorium.batch import Cells, PackedCells
from sensorium.config import Probability

ACCEPTS = ("number", "vector")


class Noise(Augmentation):
    """Adds normal noise to standardised values, which regularises the network (Bishop 1995, "Training with Noise is
    Equivalent to Tikhonov Regularization").

    Args:
        probability: probability that a row is changed.
        std: standard deviation of the noise, in standard deviations of the training rows.
    """

    packs = True

    def __init__(self, *, probability: Probability = 1.0, std: PositiveFloat = 0.1) -> None:
        super().__init__(probability)
        self.std = std

    def change(self, cells: Cells, random: Generator) -> Tensor:
        return self._noisy(cells.values, random)

    def change_packed(self, cells: PackedCells, random: Generator) -> Tensor:
        return self._noisy(cells.values, random)

    def _noisy(self, values: Tensor, random: Generator) -> Tensor:
        return values + self.std * torch.randn(values.shape, generator=random, device=random.device)
