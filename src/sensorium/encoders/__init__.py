"""ONE FILE PER ENCODER: a modality's arrays → tokens."""

from sensorium.encoders._base import Encoder, Pretrained

__all__ = ["Encoder", "Pretrained"]
