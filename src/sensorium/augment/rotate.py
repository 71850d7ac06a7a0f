"""Rotate images by a random angle."""

from __future__ import annotations

import math

import torch
from pydantic import PositiveFloat
from torch import Generator, Tensor

from sensorium.augment._base import Augmentation, uniform
from sensorium.augment._pictures import on_planes, warp
from sensorium.batch import Cells
from sensorium.config import Probability

ACCEPTS = ("image", "images", "video", "scan")


class Rotate(Augmentation):
    """Rotates about the centre, an operation of RandAugment (Cubuk et al. 2019, arXiv:1909.13719).

    Args:
        probability: probability that a row is changed.
        degrees: largest rotation, in either direction.
    """

    def __init__(self, *, probability: Probability = 1.0, degrees: PositiveFloat = 15.0) -> None:
        super().__init__(probability)
        self.degrees = degrees

    def change(self, cells: Cells, random: Generator) -> Tensor:
        angle = uniform(-self.degrees, self.degrees, cells.present.shape, random) * (math.pi / 180)
        sine, cosine = angle.sin(), angle.cos()
        matrix = torch.stack([cosine, -sine, sine, cosine], 1).unflatten(1, (2, 2))
        return on_planes(cells.values, lambda planes: warp(planes, matrix, matrix.new_zeros(len(matrix), 2)))
