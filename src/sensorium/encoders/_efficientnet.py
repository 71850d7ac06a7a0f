"""Network of EfficientNet-Lite."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

STEM, LAST = 32, 1280  # channels of the first and of the last layer, the same in every version
# expansion, kernel, stride, channels, repeats
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)


class Backbone(nn.Module):
    """Network without its classifier: pixels (b, 3, h, w) → map (b, 1280, h / 32, w / 32).

    Args:
        width: factor of the number of channels, except in the first and last layer.
        depth: factor of the number of repeats, except in the first and last stage.
    """

    def __init__(self, width: float, depth: float) -> None:
        super().__init__()
        layers: list[nn.Module] = [_convolution(3, STEM, 3, 2)]
        inside = STEM
        for place, (expansion, kernel, stride, channels, repeats) in enumerate(STAGES):
            outside = _eights(channels * width)
            inner = place not in (0, len(STAGES) - 1)
            for repeat in range(math.ceil(repeats * depth) if inner else repeats):
                layers.append(_Bottleneck(inside, outside, expansion, kernel, 1 if repeat else stride))
                inside = outside
        self.layers = nn.ModuleList([*layers, _convolution(inside, LAST, 1, 1)])
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # lacks in torch's stubs; faster

    def forward(self, pixels: Tensor) -> Tensor:
        for layer in self.layers:
            pixels = layer(pixels)
        return pixels


class _Bottleneck(nn.Module):
    """Inverted bottleneck (Sandler et al. 2018, arXiv:1801.04381): widen, filter each channel, narrow."""

    def __init__(self, inside: int, outside: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        middle = inside * expansion
        self.widen = _convolution(inside, middle, 1, 1) if expansion > 1 else nn.Identity()
        self.filter = _convolution(middle, middle, kernel, stride, groups=middle)
        self.narrow = _convolution(middle, outside, 1, 1)[:2]  # no ReLU6: the narrow side stays linear
        self.adds = inside == outside and stride == 1

    def forward(self, values: Tensor) -> Tensor:
        found = self.narrow(self.filter(self.widen(values)))
        return values + found if self.adds else found


class _SameConv2d(nn.Conv2d):
    """Pad for a stride of 2 on the far side first, as TensorFlow does, where these weights were trained."""

    def forward(self, input: Tensor) -> Tensor:
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        over = [max((math.ceil(side / stride) - 1) * stride + kernel - side, 0) for side in input.shape[2:]]
        if all(total % 2 == 0 for total in over):  # the convolution's own padding is faster
            beside = (over[0] // 2, over[1] // 2)
            return nn.functional.conv2d(input, self.weight, None, self.stride, beside, groups=self.groups)
        pads = [part for total in reversed(over) for part in (total // 2, total - total // 2)]
        return super().forward(nn.functional.pad(input, pads))


def _convolution(inside: int, outside: int, kernel: int, stride: int, groups: int = 1) -> nn.Sequential:
    convolution = _SameConv2d(inside, outside, kernel, stride, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outside, eps=1e-3, momentum=0.01), nn.ReLU6())


def _eights(channels: float) -> int:
    """Return the nearest multiple of 8 that is at least 90% of the given number."""
    found = max(8, int(channels + 4) // 8 * 8)
    return found if found >= 0.9 * channels else found + 8
