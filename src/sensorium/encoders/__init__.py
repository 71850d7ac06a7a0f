"""Encoders map prepared cells to tokens. Each file defines one encoder."""

from sensorium.encoders._base import Encoder, FeatureEncoder, Pretrained, Static
from sensorium.encoders._hash import hash_weights

__all__ = ["Encoder", "FeatureEncoder", "Pretrained", "Static", "hash_weights"]
