"""Colour jitter: change brightness, contrast and saturation of images."""

from __future__ import annotations

from torch import Generator, Tensor

from sensorium.augment._base import Augmentation, spread, uniform
from sensorium.batch import Cells
from sensorium.config import Probability

ACCEPTS = ("image", "images", "video")


class Colour(Augmentation):
    """Colour jitter (Howard 2013, arXiv:1312.5402): three factors for each row, from 1 − x to 1 + x.

    Args:
        probability: probability that a row is changed.
        brightness: range x of the factor, from 1 − x to 1 + x, by which all values are multiplied.
        contrast: distances from the mean of the row are multiplied by such a factor.
        saturation: distances of the channels from their mean are multiplied by such a factor; no effect on grayscale
            images.
    """

    def __init__(
        self,
        *,
        probability: Probability = 1.0,
        brightness: Probability = 0.2,
        contrast: Probability = 0.2,
        saturation: Probability = 0.2,
    ) -> None:
        super().__init__(probability)
        self.brightness, self.contrast, self.saturation = brightness, contrast, saturation

    def change(self, cells: Cells, random: Generator) -> Tensor:
        pixels = cells.values.float()  # (b, …, h, w, c)

        def factor(most: float) -> Tensor:
            return spread(uniform(1 - most, 1 + most, cells.present.shape, random), pixels)

        pixels = pixels * factor(self.brightness)
        mean = spread(_mean(pixels, cells), pixels)
        pixels = mean + (pixels - mean) * factor(self.contrast)
        grey = pixels.mean(-1, keepdim=True)
        pixels = grey + (pixels - grey) * factor(self.saturation)
        return pixels.round().clamp(0, 255).to(cells.values.dtype)


def _mean(pixels: Tensor, cells: Cells) -> Tensor:
    """Return the number of real images of each row, (b,)."""
    if cells.mask is None:
        return pixels.flatten(1).mean(1)
    means = pixels.flatten(2).mean(2)  # (b, t)
    return (means * cells.mask).sum(1) / cells.mask.sum(1).clamp_min(1)
