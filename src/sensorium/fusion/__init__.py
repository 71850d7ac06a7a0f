"""ONE FILE PER FUSION: the tokens of several modalities → one vector a row."""

from sensorium.fusion._base import Fusion

__all__ = ["Fusion"]
