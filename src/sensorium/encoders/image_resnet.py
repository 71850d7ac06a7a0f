"""Small residual network for images."""

from __future__ import annotations

from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Depth, Sizes
from sensorium.encoders._base import Conv2d, initialise
from sensorium.encoders.image_cnn import map_tokens, unit_range

ACCEPTS = ("image",)


class ImageResnet(nn.Module):
    """ResNet of basic blocks (He et al. 2016, arXiv:1512.03385); the first stage keeps the resolution.

    With filters (32, 64, 128): (b, 3, 64, 64) → (b, 32, 64, 64) → (b, 64, 32, 32) → (b, 128, 16, 16) → 256 tokens of
    width 128; the summary is their mean.

    Args:
        channels: 1 or 3.
        filters: number of filters of each stage; every stage after the first halves the resolution.
        blocks: number of residual blocks in each stage.
    """

    def __init__(
        self,
        channels: int,
        *,
        filters: Sizes = (32, 64, 128),
        blocks: Depth = 1,
    ) -> None:
        super().__init__()
        self.width = filters[-1]
        layers: list[nn.Module] = [
            Conv2d(channels, filters[0], 3, padding=1, bias=False),
            nn.BatchNorm2d(filters[0]),
        ]
        layers.append(nn.ReLU())
        for stage, (inside, outside) in enumerate(zip([filters[0], *filters], filters, strict=False)):
            layers.append(_Block(inside, outside, stride=1 if stage == 0 else 2))
            layers += [_Block(outside, outside, stride=1) for _ in range(blocks - 1)]
        self.layers = nn.Sequential(*layers)
        initialise(self)

    def forward(self, cells: Cells) -> Tokens:
        return map_tokens(self.layers(unit_range(cells.values)))


class _Block(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Conv2d(inside, outside, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outside),
            nn.ReLU(),
            Conv2d(outside, outside, 3, padding=1, bias=False),
            nn.BatchNorm2d(outside),
        )
        self.skip: nn.Module = nn.Identity()
        if inside != outside or stride > 1:
            self.skip = nn.Sequential(Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, maps: Tensor) -> Tensor:
        return (self.body(maps) + self.skip(maps)).relu()
