"""The training loop: optimiser, schedule, early stopping, best weights kept."""

from sensorium.train.loop import Epoch, History, Training, train
from sensorium.train.preset import with_preset

__all__ = ["Epoch", "History", "Training", "train", "with_preset"]
