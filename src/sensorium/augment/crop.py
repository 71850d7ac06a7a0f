"""Random crop: enlarge a part of each image to full size."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from sensorium.augment._base import Augmentation, uniform
from sensorium.augment._pictures import on_planes, warp
from sensorium.batch import Cells
from sensorium.config import Probability, Share

ACCEPTS = ("image", "images", "video", "scan")


class Crop(Augmentation):
    """Random square crop, as in Szegedy et al. 2014 (arXiv:1409.4842), but larger.

    Args:
        chance: probability that a row is changed.
        smallest: smallest side of the crop, as a fraction of the side of the image.
    """

    def __init__(self, *, chance: Probability = 1.0, smallest: Share = 0.8) -> None:
        super().__init__(chance)
        self.smallest = smallest

    def change(self, cells: Cells, random: Generator) -> Tensor:
        rows = len(cells.present)
        side = uniform(self.smallest, 1.0, (rows, 1), random)
        middle = uniform(-1.0, 1.0, (rows, 2), random) * (1 - side)
        matrix = side[..., None] * torch.eye(2, device=side.device)
        return on_planes(cells.values, lambda planes: warp(planes, matrix, middle))
