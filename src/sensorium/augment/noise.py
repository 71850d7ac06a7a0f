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
        probability: probability that a row is changed.
        std: standard deviation of the noise, in standard deviations of the training rows.
    """

    def __init__(self, *, probability: Probability = 1.0, std: PositiveFloat = 0.1) -> None:
        super().__init__(probability)
        self.std = std

    def change(self, cells: Cells, random: Generator) -> Tensor:
        return cells.values + self.std * torch.randn(cells.values.shape, generator=random, device=random.device)
