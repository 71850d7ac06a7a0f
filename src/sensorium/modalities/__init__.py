"""One file per modality: how it recognizes a column, what it learns from the training rows, how it encodes cells."""

from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._encoded import Array, Encoded, Ragged, Work
from sensorium.modalities._encoder_advice import EncoderAdvice
from sensorium.modalities._overview import Overview

__all__ = ["Array", "Encoded", "EncoderAdvice", "EncoderSpec", "Modality", "Overview", "Ragged", "Work"]
