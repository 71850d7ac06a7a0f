"""Encoders map prepared cells to tokens. Each file defines one encoder."""

from sensorium.encoders._base import Encoder, FeatureEncoder, Pretrained, Static

__all__ = ["Encoder", "FeatureEncoder", "Pretrained", "Static"]
