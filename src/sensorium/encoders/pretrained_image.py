"""Pretrained vision model of `transformers`: ViT, DINOv2, ConvNeXt, Swin, the vision part of CLIP and SigLIP …"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sensorium.batch import Cells, Tokens
from sensorium.encoders._backbone import takes
from sensorium.encoders._pixels import Colours, image_preprocessing, preferred_image_options
from sensorium.encoders._pretrained import PREPROCESSING, Pretrained, every_state

ACCEPTS = ("image",)


class PretrainedImage(Pretrained):
    """Pretrained vision model: pixels (b, h, w, c) → states of the model (b, t, d); grayscale images become RGB."""

    modality, part = "image", "vision_model"

    def ready(self) -> None:
        self.colours = Colours(self.preprocessing)
        self._stretch = {"interpolate_pos_encoding": True} if takes(self.backbone, "interpolate_pos_encoding") else {}

    @classmethod
    def preferred_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        return preferred_image_options(cls.complete(options)["config"][PREPROCESSING])

    @classmethod
    def preprocess(cls, config: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
        return image_preprocessing(config, found)

    def states(self, cells: Cells) -> Tokens:
        return every_state(self.backbone(pixel_values=self.colours(cells.values), **self._stretch).last_hidden_state)
