"""Add white noise to audio."""

from __future__ import annotations

import numpy.typing as npt
import torch
from torch import Generator, Tensor

from sensorium.augment._base import Augmentation, spread, uniform
from sensorium.augment._spectra import Scale
from sensorium.batch import Cells
from sensorium.config import Decibels, Probability

ACCEPTS = ("audio",)
QUIETEST = 30.0  # decibels above the least ratio at which noise is hardly heard any more


class WhiteNoise(Augmentation):
    """Adds noise of equal strength in all bands to the power of a clip: independent sounds add up in power, and the
    power of noise in a narrow band has an exponential distribution.

    Args:
        mean, deviation: mean and standard deviation of the log power, float[mels].
        probability: probability that a row is changed.
        min_snr: lowest signal-to-noise ratio in decibels; it is drawn from this value to 30 dB more.
    """

    def __init__(
        self, mean: npt.ArrayLike, deviation: npt.ArrayLike, *, probability: Probability = 0.5, min_snr: Decibels = 10.0
    ) -> None:
        super().__init__(probability)
        self.scale, self.min_snr = Scale(mean, deviation), min_snr

    def change(self, cells: Cells, random: Generator) -> Tensor:
        assert cells.mask is not None
        power = self.scale.power(cells.values)
        frames = torch.where(cells.mask, power.mean(2), 0.0)  # (b, t)
        loudness = frames.sum(1) / cells.mask.sum(1).clamp_min(1)
        decibels = uniform(self.min_snr, self.min_snr + QUIETEST, loudness.shape, random)
        noise = -torch.log1p(-uniform(0.0, 1.0, power.shape, random))
        return self.scale.values(power + noise * spread(loudness * 10 ** (-decibels / 10), power))
