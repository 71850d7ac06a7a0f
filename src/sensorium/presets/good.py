"""A network, linear models and boosted trees, blended by what they predict out of fold."""

from __future__ import annotations

from typing import ClassVar

from sensorium.presets._base import Preset


class Good(Preset):
    """A network, linear models and boosted trees, blended by what they predict out of fold."""

    STRATEGY: ClassVar[str] = "blend"
