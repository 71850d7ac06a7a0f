"""Convolutional network on a medical image: one slice, slice by slice, or the whole volume."""

from __future__ import annotations

from typing import Literal

from torch import nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Sizes
from sensorium.encoders._base import conv_block, initialise
from sensorium.encoders.image_cnn import map_tokens

ACCEPTS = ("scan",)


class ScanCNN(nn.Module):
    """Small convolutional network.

    A scan of 32 × 64 × 64 with filters (16, 32, 64): slice by slice (32b, 1, 64, 64) → (32b, 64, 8, 8) → 32 tokens of
    width 64, one for each slice; in three dimensions (b, 1, 32, 64, 64) → (b, 64, 4, 8, 8) → 256 tokens. A single image
    gives a token for each position of its last map. The summary is the mean of the tokens.

    Args:
        depth: number of slices.
        size: number of rows and columns.
        dimensions: `2d` encodes the middle slice, `2.5d` each slice separately, `3d` the volume; `auto` is 2d for
            single images and 2.5d for volumes.
        filters: number of filters of each layer.
        norm: whether each layer has batch normalisation.
    """

    def __init__(
        self,
        depth: int,
        size: int,
        *,
        dimensions: Literal["auto", "2d", "2.5d", "3d"] = "auto",
        filters: Sizes = (16, 32, 64),
        norm: bool = True,
    ) -> None:
        super().__init__()
        self.width = filters[-1]
        self.dimensions = dimensions if dimensions != "auto" else "2d" if depth == 1 else "2.5d"
        layers: list[nn.Module] = []
        for inside, outside in zip([1, *filters], filters, strict=False):
            if self.dimensions == "3d":
                layers.append(_block_3d(inside, outside, (min(2, depth), min(2, size)), norm))
                depth = max(1, depth // 2)
            else:
                layers.append(conv_block(inside, outside, 3, "pool" if size >= 2 else "none", norm))
            size = max(1, size // 2)
        self.layers = nn.Sequential(*layers)
        if self.dimensions != "3d":
            initialise(self)

    def forward(self, cells: Cells) -> Tokens:
        voxels = cells.values.float() * 2 - 1  # (b, z, y, x)
        if self.dimensions == "2d":
            middle = voxels.shape[1] // 2
            return map_tokens(self.layers(voxels[:, middle : middle + 1]))
        if self.dimensions == "3d":
            return map_tokens(self.layers(voxels[:, None]).flatten(3))
        maps = self.layers(voxels.flatten(0, 1)[:, None])  # (b·z, f, y, x)
        slices = maps.mean((2, 3)).unflatten(0, voxels.shape[:2])  # (b, z, f)
        return Tokens(slices, slices.new_ones(slices.shape[:2]).bool())


def _block_3d(inside: int, outside: int, shrink: tuple[int, int], norm: bool) -> nn.Sequential:
    """Build `conv_block` for three axes: 3 × 3 × 3, halved by pooling along axes of at least two voxels."""
    convolution = nn.Conv3d(inside, outside, 3, padding=1, bias=not norm)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    deep, wide = shrink
    parts: list[nn.Module] = [convolution, nn.MaxPool3d((deep, wide, wide))]
    parts += [nn.BatchNorm3d(outside)] if norm else []
    return nn.Sequential(*parts, nn.ReLU(inplace=True))
