"""Convolution, ReLU and pooling, a few times: the CNN of the founding formula."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Odd, Sizes
from sensorium.encoders._base import conv_block, initialise

ACCEPTS = ("image",)


class ImageCNN(nn.Module):
    """A plain convolutional network (LeCun et al. 1998).

    A 64 × 64 picture through filters (16, 32, 64) with pooling: (b, 3, 64, 64) → (b, 16, 32, 32) → (b, 32, 16, 16) →
    (b, 64, 8, 8) → 64 tokens of width 64, one a place of the last map; the summary is their mean.

    Args:
        channels: 1 or 3.
        size: side of the picture in pixels.
        filters: maps of each layer.
        kernel: side of a filter in pixels.
        downsample: how each layer halves the map, as long as there are two pixels to halve.
        norm: batch normalisation in each layer.
        reduce: `mean` as above; `flatten` makes the whole map one token.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        *,
        filters: Sizes = (16, 32, 64),
        kernel: Odd = 3,
        downsample: Literal["pool", "stride", "none"] = "pool",
        norm: bool = True,
        reduce: Literal["mean", "flatten"] = "mean",
    ) -> None:
        super().__init__()
        layers = []
        for inside, outside in zip([channels, *filters], filters, strict=False):
            shrink = downsample if size >= 2 else "none"
            layers.append(conv_block(inside, outside, kernel, shrink, norm))
            size = size if shrink == "none" else size // 2 if shrink == "pool" else (size + 1) // 2
        self.layers = nn.Sequential(*layers)
        self.reduce = reduce
        self.width = filters[-1] * size * size if reduce == "flatten" else filters[-1]
        initialise(self)

    def forward(self, cells: Cells) -> Tokens:
        maps = self.layers(unit_range(cells.values))  # (b, f, h, w)
        if self.reduce == "flatten":
            return Tokens.of_vector(maps.flatten(1))
        return map_tokens(maps)


def unit_range(pixels: Tensor) -> Tensor:
    """uint8 (b, h, w, c) → float (b, c, h, w) from −1 to 1, stored channels last, as CPU convolutions like it."""
    return pixels.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def map_tokens(maps: Tensor) -> Tokens:
    """(b, d, h, w) → tokens (b, h·w, d), all real."""
    values = maps.flatten(2).transpose(1, 2)
    return Tokens(values, values.new_ones(values.shape[:2]).bool(), maps.mean((2, 3)))
