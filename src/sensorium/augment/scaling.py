"""Scale the values of a time series."""

from __future__ import annotations

import torch
from pydantic import PositiveFloat
from torch import Generator, Tensor

from sensorium.augment._base import Augmentation
from sensorium.batch import Cells
from sensorium.config import Probability

ACCEPTS = ("series",)


class Scaling(Augmentation):
    """Multiplies each channel of a series by one factor (Um et al. 2017, arXiv:1706.00527); gaps stay gaps.

    Args:
        channels: number of channels; as many indicators of gaps follow them.
        probability: probability that a row is changed.
        std: standard deviation of the factor, which is normal around 1.
    """

    def __init__(self, channels: int, *, probability: Probability = 1.0, std: PositiveFloat = 0.1) -> None:
        super().__init__(probability)
        self.channels, self.std = channels, std

    def change(self, cells: Cells, random: Generator) -> Tensor:
        values, marks = cells.values.split(self.channels, 2)
        shape = (len(values), 1, self.channels)
        factor = 1 + self.std * torch.randn(shape, generator=random, device=random.device)
        return torch.cat([values * factor, marks], 2)
