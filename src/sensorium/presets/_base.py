"""Base class of presets."""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sensorium.config import Config
from sensorium.model.card import BackboneRecord
from sensorium.registry import strategies
from sensorium.schema import Schema
from sensorium.strategies import Request, find_conflicts


class Preset(ABC):
    """Base class of presets. A preset names the strategy that trains the model, and the settings that it changes.

    Class attributes:
        STRATEGY: registered name of a strategy of the stage `train`. `plain` is replaced by a strategy that a setting
            enables, such as `search`.
        NETWORKS: number of networks of a blend, which differ in their random seeds, or in what a search chose.
        PATIENCE: factor of the time limits of a blend.

    Attributes:
        budget: seconds of the time budget of the fit; infinite without one.
    """

    STRATEGY: ClassVar[str]
    NETWORKS: ClassVar[int] = 1
    PATIENCE: ClassVar[float] = 1.0
    budget: float = math.inf

    def unsupported(self, request: Request) -> Mapping[str, str]:
        """Return what the preset does not support: setting or argument that is set → the reason.

        Called before the table is read. By default, these are the conflicts of the strategy; what depends on the table
        is checked by `Strategy.check`.
        """
        return find_conflicts(strategies.load(self.STRATEGY), request)

    def settings(self, schema: Schema, config: Config) -> Mapping[str, Any]:
        """Return the settings that the preset changes, as a tree. Settings of the user override them.

        Called before the columns are decoded.

        Args:
            schema: the columns of the table, with their modalities, and the target.
            config: the settings of the user.
        """
        return {}

    def backbones(self, schema: Schema, config: Config) -> Sequence[BackboneRecord]:
        """Return the pretrained backbones that the preset selects, and those that it would, were they installed.

        Args:
            schema, config: as for `settings`.
        """
        return ()
