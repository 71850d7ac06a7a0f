"""Random erasing: blank a rectangle of each image."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from sensorium.augment._base import Augmentation, spans, uniform
from sensorium.augment._pictures import on_planes
from sensorium.batch import Cells
from sensorium.config import Probability, Share

ACCEPTS = ("image", "images", "video", "scan")
SMALLEST = 0.02  # of the picture
RATIO = 3.3  # of the longer to the shorter side, at most


class Erase(Augmentation):
    """Random erasing (Zhong et al. 2017, arXiv:1708.04896); the rectangle takes the mean of its plane.

    Args:
        probability: probability that a row is changed.
        max_area: largest area of the rectangle, as a fraction of the image; the smallest is 0.02.
    """

    def __init__(self, *, probability: Probability = 0.5, max_area: Share = 0.33) -> None:
        super().__init__(probability)
        self.max_area = max_area

    def change(self, cells: Cells, random: Generator) -> Tensor:
        rows = cells.present.shape
        side = uniform(min(SMALLEST, self.max_area), self.max_area, rows, random).sqrt()
        stretch = uniform(-math.log(RATIO) / 2, math.log(RATIO) / 2, rows, random).exp()

        def blot(planes: Tensor) -> Tensor:
            down, across = (
                _run(side * factor, planes.shape[axis], random) for axis, factor in ((2, stretch), (3, 1 / stretch))
            )
            hidden = (down[:, :, None] & across[:, None])[:, None]  # (b, 1, h, w)
            return torch.where(hidden, planes.mean((2, 3), keepdim=True), planes)

        return on_planes(cells.values, blot)


def _run(share: Tensor, places: int, random: Generator) -> Tensor:
    """Return (b, places): the hidden positions, one or more per row."""
    return spans((share * places).round().clamp(1, places), torch.full_like(share, places), places, random)
