"""Names of the members that a fit has by default."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_FUSION = "concat"
DEFAULT_HEAD = "linear"
AUTO_PRESET = "auto"  # no preset: it stands for the default one, or for the simplest one if that cannot be used
DEFAULT_PRESET = "good"
SIMPLEST_PRESET = "fast"  # one network; it supports every setting


class Backbone(NamedTuple):
    """Backbone that presets choose for a modality.

    Attributes:
        weights: short name of the weights.
        small: short name of those for many rows on a CPU.
        tune: what of it is trained, where that is affordable.
    """

    weights: str
    small: str
    tune: str


# None for sounds: the packaged weights know voices only. None for documents: their language is unknown at this point.
BACKBONES = {
    "text": Backbone("minilm", "minilm", "lora"),
    "image": Backbone("efficientnet_lite2", "efficientnet_lite0", "full"),
}
