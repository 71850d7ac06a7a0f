"""Plain convolutional network: convolution, ReLU and pooling."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Odd, Sizes
from sensorium.encoders._base import conv_block, initialise

ACCEPTS = ("image",)


class ImageCNN(nn.Module):
    """Plain convolutional network (LeCun et al. 1998).

    A 64 × 64 image through filters (16, 32, 64) with pooling: (b, 3, 64, 64) → (b, 16, 32, 32) → (b, 32, 16, 16) → (b,
    64, 8, 8) → 64 tokens of width 64, one for each position of the last map; the summary is their mean.

    Args:
        channels: 1 or 3.
        size: image size in pixels.
        filters: number of filters of each layer.
        kernel: filter size in pixels.
        downsample: how each layer halves its map; a map of one pixel is not halved.
        norm: whether each layer has batch normalisation.
        reduce: `mean` gives one token per position of the map; `flatten` makes the whole map one token.
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
    """Scale pixels uint8 (b, h, w, c) to float (b, c, h, w) from −1 to 1, stored channels last for speed on CPUs."""
    return pixels.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def map_tokens(maps: Tensor) -> Tokens:
    """Return a map (b, d, h, w) as tokens (b, h·w, d), all real."""
    values = maps.flatten(2).transpose(1, 2)
    return Tokens(values, values.new_ones(values.shape[:2]).bool(), maps.mean((2, 3)))
