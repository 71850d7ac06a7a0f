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
        probability: probability that a row is changed.
        min_scale: smallest side of the crop, as a fraction of the side of the image.
    """

    def __init__(self, *, probability: Probability = 1.0, min_scale: Share = 0.8) -> None:
        super().__init__(probability)
        self.min_scale = min_scale

    def change(self, cells: Cells, random: Generator) -> Tensor:
        rows = len(cells.present)
        side = uniform(self.min_scale, 1.0, (rows, 1), random)
        middle = uniform(-1.0, 1.0, (rows, 2), random) * (1 - side)
        matrix = side[..., None] * torch.eye(2, device=side.device)
        return on_planes(cells.values, lambda planes: warp(planes, matrix, middle))
