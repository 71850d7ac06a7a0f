"""Fusions combine the tokens of all modalities into one vector per row. Each file defines one fusion."""

from sensorium.fusion._base import BaseFusion, Fusion, masked_softmax, stack

__all__ = ["BaseFusion", "Fusion", "masked_softmax", "stack"]
