"""A larger blend: several networks with pretrained backbones, linear models and boosted trees."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sensorium.config import Config
from sensorium.model.card import BackboneRecord
from sensorium.presets._backbones import choose_backbones
from sensorium.presets._base import Preset
from sensorium.presets._quick_backbones import choose_quick_backbones
from sensorium.schema import Schema

# Of a training that fine-tunes a backbone: more passes cost hours, and Devlin et al. (2019) need 2 to 4.
EPOCHS = 10


class Best(Preset):
    """Blend of networks that differ in their random seed (bagging) with classical models.

    Text and image columns get the best backbones that are installed. They are fine-tuned where there are few rows or
    an accelerator: texts with LoRA, images as a whole. Elsewhere they are frozen, and their features computed once.
    Within a time budget they are frozen, and used if their features take a fifth of it at most: a search trains many
    networks.
    """

    STRATEGY: ClassVar[str] = "blend"
    NETWORKS: ClassVar[int] = 3
    PATIENCE: ClassVar[float] = 10.0

    def settings(self, schema: Schema, config: Config) -> Mapping[str, Any]:
        tuned = any(each.tune != "frozen" and not each.unused for each in self.backbones(schema, config))
        return {"train": {"epochs": EPOCHS}} if tuned else {}

    def backbones(self, schema: Schema, config: Config) -> Sequence[BackboneRecord]:
        if math.isinf(self.budget):
            return choose_backbones(schema, config)
        return choose_quick_backbones(schema, config, self.budget)
