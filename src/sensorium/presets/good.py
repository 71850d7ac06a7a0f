"""A network, linear models and boosted trees, blended by what they predict out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sensorium.config import Config
from sensorium.model.card import BackboneRecord
from sensorium.presets._base import Preset
from sensorium.presets._quick_backbones import choose_quick_backbones
from sensorium.schema import Schema


class Good(Preset):
    """A network, linear models and boosted trees, blended by what they predict out of fold.

    Text and image columns get frozen pretrained backbones that are installed, where their features take seconds.
    """

    STRATEGY: ClassVar[str] = "blend"

    def backbones(self, schema: Schema, config: Config) -> Sequence[BackboneRecord]:
        return choose_quick_backbones(schema, config, self.budget)
