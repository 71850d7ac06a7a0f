"""The training loop: optimiser, schedule, early stopping, best weights kept."""

from sensorium.train.loop import Epoch, History, Training, train

__all__ = ["Epoch", "History", "Training", "train"]
