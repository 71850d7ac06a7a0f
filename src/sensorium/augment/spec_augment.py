"""SpecAugment: mask frequency bands and time spans of audio."""

from __future__ import annotations

import torch
from pydantic import NonNegativeInt
from torch import Generator, Tensor

from sensorium.augment._base import Augmentation, spans, uniform
from sensorium.batch import Cells
from sensorium.config import Probability

ACCEPTS = ("audio",)


class SpecAugment(Augmentation):
    """SpecAugment (Park et al. 2019, arXiv:1904.08779) without time warping, which helped least.

    The width of a mask is drawn from 0 to the largest; masked values become the mean of the band in the training rows.

    Args:
        mels: number of mel bands.
        probability: probability that a row is changed.
        bands: largest mask of neighbouring mel bands, as a fraction of all bands.
        band_masks: number of frequency masks.
        time: largest mask of neighbouring frames, as a fraction of the length of the clip.
        time_masks: number of time masks.
    """

    def __init__(
        self,
        mels: int,
        *,
        probability: Probability = 1.0,
        bands: Probability = 0.2,
        band_masks: NonNegativeInt = 1,
        time: Probability = 0.2,
        time_masks: NonNegativeInt = 1,
    ) -> None:
        super().__init__(probability)
        self.mels, self.bands, self.band_masks = mels, bands, band_masks
        self.time, self.time_masks = time, time_masks

    def change(self, cells: Cells, random: Generator) -> Tensor:
        assert cells.mask is not None
        frames = cells.values.shape[1]
        values, lengths = cells.values, cells.mask.sum(1).float()
        for _ in range(self.band_masks):
            hidden = _mask(torch.full_like(lengths, self.mels), self.bands, self.mels, random)
            values = values.masked_fill(hidden[:, None], 0.0)  # the mean, as bands are standardised
        for _ in range(self.time_masks):
            values = values.masked_fill(_mask(lengths, self.time, frames, random)[..., None], 0.0)
        return values


def _mask(lengths: Tensor, widest: float, places: int, random: Generator) -> Tensor:
    """Return (b, places): the hidden positions, at most the fraction `widest` of each row's length."""
    return spans((uniform(0.0, widest, lengths.shape, random) * (lengths + 1)).floor(), lengths, places, random)
