"""ONE FILE PER MODALITY: what a column is, what is learnt of it from the training rows, how a cell becomes an array."""

from sensorium.modalities._base import Array, Encoded, EncoderSpec, Modality, Ragged, Work
from sensorium.modalities._overview import Overview

__all__ = ["Array", "Encoded", "EncoderSpec", "Modality", "Overview", "Ragged", "Work"]
