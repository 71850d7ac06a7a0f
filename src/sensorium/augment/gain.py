"""Change the loudness of audio clips."""

from __future__ import annotations

import numpy.typing as npt
from torch import Generator, Tensor

from sensorium.augment._base import Augmentation, spread, uniform
from sensorium.augment._spectra import Scale
from sensorium.batch import Cells
from sensorium.config import Decibels, Probability

ACCEPTS = ("audio",)


class Gain(Augmentation):
    """Multiplies the power of a clip, as a different distance from the microphone does.

    Args:
        mean, deviation: mean and standard deviation of the log power, float[mels].
        probability: probability that a row is changed.
        decibels: largest change, up or down.
    """

    def __init__(
        self, mean: npt.ArrayLike, deviation: npt.ArrayLike, *, probability: Probability = 1.0, decibels: Decibels = 6.0
    ) -> None:
        super().__init__(probability)
        self.scale, self.decibels = Scale(mean, deviation), decibels

    def change(self, cells: Cells, random: Generator) -> Tensor:
        decibels = uniform(-self.decibels, self.decibels, cells.present.shape, random)
        power = self.scale.power(cells.values)
        return self.scale.values(power * spread(10 ** (decibels / 10), power))
