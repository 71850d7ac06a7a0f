"""Jitter: add noise to the steps of a time series."""

from __future__ import annotations

import torch
from pydantic import PositiveFloat
from torch import Generator, Tensor

from sensorium.augment._base import Augmentation
from sensorium.batch import Cells
from sensorium.config import Probability

ACCEPTS = ("series",)


class Jitter(Augmentation):
    """Adds normal noise to every known value (Um et al. 2017, arXiv:1706.00527); gaps stay gaps.

    Args:
        channels: number of channels; as many indicators of gaps follow them.
        probability: probability that a row is changed.
        std: standard deviation of the noise, in standard deviations of the training rows.
    """

    def __init__(self, channels: int, *, probability: Probability = 1.0, std: PositiveFloat = 0.1) -> None:
        super().__init__(probability)
        self.channels, self.std = channels, std

    def change(self, cells: Cells, random: Generator) -> Tensor:
        values, marks = cells.values.split(self.channels, 2)
        noise = torch.randn(values.shape, generator=random, device=random.device)
        return torch.cat([values + self.std * noise * marks, marks], 2)
