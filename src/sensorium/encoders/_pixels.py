"""Prepare images for pretrained vision models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, where a model does not say
SIZE = 224


def image_preprocessing(config: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return mean and standard deviation of the colours, image size, and whether to crop the centre.

    Args:
        config: content of `config.json`.
        found: content of `preprocessor_config.json`, empty if there is none.
    """
    side = found.get("crop_size") if found.get("do_center_crop") else found.get("size")
    default = config.get("image_size", SIZE)
    return {
        "mean": list(found.get("image_mean") or MEAN),
        "deviation": list(found.get("image_std") or DEVIATION),
        "size": _side(side, default if isinstance(default, int) else SIZE),
        "crop": bool(found.get("do_center_crop")),
    }


def preferred_image_options(preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the image modality that match the model's own preprocessing."""
    return {"size": preprocessing["size"], "channels": 3, "fit": "crop" if preprocessing["crop"] else "stretch"}


class Colours(nn.Module):
    """Normalise pixels uint8 (…, h, w, 1 or 3) to float (…, 3, h, w); grayscale images become RGB.

    Args:
        preprocessing: `mean` and `deviation`, from 0 to 1.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, preprocessing: Mapping[str, Any]) -> None:
        super().__init__()
        for name in ("mean", "deviation"):
            self.register_buffer(name, 255 * torch.tensor(preprocessing[name])[:, None, None], persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        return (pixels.movedim(-1, -3).float() - self.mean) / self.deviation


def _side(size: Any, default: int) -> int:
    """Return the side of a size: `224`, `{"height": 224, "width": 224}`, `{"shortest_edge": 224}` → 224."""
    if isinstance(size, Mapping):
        size = size.get("height") or size.get("shortest_edge")
    return int(size) if size else default
