"""The training loop: optimiser, schedule, early stopping, best weights kept; checkpoints to go on from."""

from sensorium.train.checkpoint import Checkpoint
from sensorium.train.history import Epoch, History
from sensorium.train.interrupt import Interrupted
from sensorium.train.job import Training
from sensorium.train.loop import check_device, train
from sensorium.train.preset import with_preset

__all__ = ["Checkpoint", "Epoch", "History", "Interrupted", "Training", "check_device", "train", "with_preset"]
