"""Pretrained video model of `transformers`: VideoMAE, TimeSformer, ViViT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sensorium.batch import Cells, Tokens
from sensorium.encoders._backbone import takes
from sensorium.encoders._backbone_settings import as_settings
from sensorium.encoders._pixels import Colours, image_preprocessing, preferred_image_options
from sensorium.encoders._pretrained import PREPROCESSING, Pretrained, every_state
from sensorium.errors import ConfigError
from sensorium.modalities import EncoderSpec

ACCEPTS = ("video",)


class PretrainedVideo(Pretrained):
    """Pretrained video model: frames (b, t, h, w, c) → evenly spaced frames, as many as it takes → states (b, n, d)."""

    modality = "video"

    def ready(self) -> None:
        self.colours = Colours(self.preprocessing)
        self._stretch = {"interpolate_pos_encoding": True} if takes(self.backbone, "interpolate_pos_encoding") else {}

    @classmethod
    def preferred_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        found = cls.complete(options)["config"][PREPROCESSING]
        return {"frames": found["frames"], **preferred_image_options(found)}

    @classmethod
    def preprocess(cls, config: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
        return {"frames": int(as_settings(config).num_frames), **image_preprocessing(config, found)}

    @classmethod
    def fitted(
        cls, config: dict[str, Any], preprocessing: Mapping[str, Any], encoder_spec: EncoderSpec
    ) -> dict[str, Any]:
        """Check that the frames have the size of the model, if its position embeddings are fixed."""
        size = config.get("image_size", preprocessing["size"])
        if config["model_type"] == "videomae" and encoder_spec["size"] != size:
            raise ConfigError(
                f"the model takes images of {size} × {size}, not of {encoder_spec['size']} × {encoder_spec['size']}",
                place="encoder 'pretrained_video'",
                cure=f"omit the column's option size, or set it to {size}",
            )
        return config

    def states(self, cells: Cells) -> Tokens:
        pixels = self.colours(self._spread(cells))
        if pixels.shape[2] == 1:
            pixels = pixels.expand(-1, -1, 3, -1, -1)
        return every_state(self.backbone(pixel_values=pixels, **self._stretch).last_hidden_state)

    def _spread(self, cells: Cells) -> Tensor:
        """Take evenly spaced frames (b, frames, h, w, c); frames of short videos are repeated."""
        assert cells.mask is not None
        frames = self.preprocessing["frames"]
        middles = (torch.arange(frames, device=cells.mask.device) + 0.5) / frames
        places = (middles * cells.mask.sum(1, keepdim=True)).long()  # (b, frames)
        return cells.values[torch.arange(places.shape[0], device=places.device)[:, None], places]
