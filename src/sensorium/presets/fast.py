"""One network, trained once."""

from __future__ import annotations

from typing import ClassVar

from sensorium.presets._base import Preset


class Fast(Preset):
    """One network, trained once. It supports every setting and changes none."""

    STRATEGY: ClassVar[str] = "plain"
