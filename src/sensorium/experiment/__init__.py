"""One table prepared once, any number of models trained on it."""

from sensorium.experiment._answers import answers_of
from sensorium.experiment._content import hash_columns, hash_state
from sensorium.experiment._experiment import Experiment, Trained, Variant
from sensorium.experiment._moved import what_moved
from sensorium.experiment._start import continued_settings

__all__ = [
    "Experiment",
    "Trained",
    "Variant",
    "answers_of",
    "continued_settings",
    "hash_columns",
    "hash_state",
    "what_moved",
]
