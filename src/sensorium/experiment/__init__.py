"""One table prepared once, any number of models trained on it."""

from sensorium.experiment._experiment import Experiment, Trained, Variant

__all__ = ["Experiment", "Trained", "Variant"]
