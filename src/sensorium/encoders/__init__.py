"""ONE FILE PER ENCODER: a modality's arrays → tokens."""

from sensorium.encoders._base import Encoder, FeatureEncoder, Pretrained, Static

__all__ = ["Encoder", "FeatureEncoder", "Pretrained", "Static"]
