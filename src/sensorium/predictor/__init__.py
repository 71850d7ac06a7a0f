"""Use a fitted model: predict, evaluate, adapt, quantize, save, load."""

from sensorium.predictor._load import load
from sensorium.predictor._model import Model
from sensorium.predictor._predictions import Predictions
from sensorium.predictor._tables import tell_unset

__all__ = ["Model", "Predictions", "load", "tell_unset"]
