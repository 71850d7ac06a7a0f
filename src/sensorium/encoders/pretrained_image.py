"""A pretrained vision model of `transformers`: ViT, DINOv2, ConvNeXt, Swin, CLIP's and SigLIP's vision half …"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import PositiveInt
from torch import Tensor

from sensorium.batch import Cells
from sensorium.config import Fraction, Share
from sensorium.encoders._pretrained import Pool, Pretrained, Tune, read_config, takes
from sensorium.hub import find_model, read_json

ACCEPTS = ("image",)
PREPROCESSING = "preprocessor_config.json"
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, where a model does not say
SIZE = 224


class PretrainedImage(Pretrained):
    """pixels (b, h, w, c) → the model's states (b, t, d) or map (b, d, h, w) → pooled (b, d) → one token (b, 1, size).

    Colours are scaled as the model's `preprocessor_config.json` says.

    Args:
        channels: 1 or 3; grey is shown to the model as RGB.
        model: a folder with `config.json` and `*.safetensors`, or a name on the Hugging Face hub.
        tune: what is trained of it: `frozen` nothing, `last` its last layers, `lora` low-rank additions, `full`
            everything.
        layers: how many are the last ones.
        rank: of low-rank additions.
        rate: learning rate of the model's own weights, as a share of `train.learning_rate`.
        decay: of that share, from each layer to the one below.
        pool: mean of the states, or the first state.
        size: width of the token that comes out.
        dropout: in the network over the model.
        config: the model's settings; its own by default.
    """

    part = "vision_model"
    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        channels: int,
        *,
        model: str = "",
        tune: Tune = "frozen",
        layers: PositiveInt = 2,
        rank: PositiveInt = 8,
        rate: Share = 0.02,
        decay: Share = 0.9,
        pool: Pool = "mean",
        size: PositiveInt = 128,
        dropout: Fraction = 0.1,
        config: dict[str, Any] | None = None,
    ) -> None:
        settings = dict(config or _settings(model))
        colours = settings.pop("preprocessing")
        super().__init__(model, settings, tune, pool, size=size, dropout=dropout)
        self._stretch = {"interpolate_pos_encoding": True} if takes(self.backbone, "interpolate_pos_encoding") else {}
        self.choose_trained(layers, rank, rate, decay)
        self.register_buffer("mean", 255 * torch.tensor(colours["mean"])[:, None, None], persistent=False)
        self.register_buffer("deviation", 255 * torch.tensor(colours["deviation"])[:, None, None], persistent=False)

    @staticmethod
    def complete(options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with the model's settings, so that it can be built again where its folder is not."""
        return {**options, "config": options.get("config") or _settings(options.get("model", ""))}

    @staticmethod
    def wishes(options: Mapping[str, Any]) -> dict[str, Any]:
        """How the picture should be prepared: of the model's size, cut as it was when the model learnt."""
        found = _settings(options.get("model", ""))["preprocessing"]
        return {"size": found["size"], "channels": 3, "fit": "crop" if found["crop"] else "stretch"}

    def states(self, cells: Cells) -> Tensor:
        pixels = cells.values.permute(0, 3, 1, 2).float()
        pixels = (pixels.expand(-1, 3, -1, -1) - self.mean) / self.deviation
        return self.backbone(pixel_values=pixels, **self._stretch).last_hidden_state


def _settings(model: str) -> dict[str, Any]:
    """The model's configuration, and what its preprocessing comes to."""
    config, found = read_config(model), read_json(find_model(model), PREPROCESSING)
    side = found.get("crop_size") if found.get("do_center_crop") else found.get("size")
    default = config.get("image_size", SIZE)
    return {
        **config,
        "preprocessing": {
            "mean": list(found.get("image_mean") or MEAN),
            "deviation": list(found.get("image_std") or DEVIATION),
            "size": _side(side, default if isinstance(default, int) else SIZE),
            "crop": bool(found.get("do_center_crop")),
        },
    }


def _side(size: Any, default: int) -> int:
    """`224`, `{"height": 224, "width": 224}`, `{"shortest_edge": 224}` → 224."""
    if isinstance(size, Mapping):
        size = size.get("height") or size.get("shortest_edge")
    return int(size) if size else default
