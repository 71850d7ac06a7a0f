"""Shift images by a random distance; the pixels of the edges are repeated."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from sensorium.augment._base import Augmentation, uniform
from sensorium.augment._pictures import on_planes, warp
from sensorium.batch import Cells
from sensorium.config import Probability

ACCEPTS = ("image", "images", "video", "scan")


class Shift(Augmentation):
    """Shifts by whole pixels in both directions, like padding and cropping (He et al. 2015, arXiv:1512.03385).

    Args:
        probability: probability that a row is changed.
        max_shift: largest shift, as a fraction of the side.
    """

    def __init__(self, *, probability: Probability = 1.0, max_shift: Probability = 0.1) -> None:
        super().__init__(probability)
        self.max_shift = max_shift

    def change(self, cells: Cells, random: Generator) -> Tensor:
        moves = uniform(-self.max_shift, self.max_shift, (len(cells.present), 2), random)

        def move(planes: Tensor) -> Tensor:
            size = planes.new_tensor(planes.shape[:1:-1])  # width, height
            same = torch.eye(2, device=planes.device).expand(len(planes), 2, 2)
            return warp(planes, same, 2 * (moves * size).round() / size)

        return on_planes(cells.values, move)
