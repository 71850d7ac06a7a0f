"""The training loop: optimiser, schedule, early stopping, best weights kept; checkpoints; and what may go before it."""

from sensorium.train.checkpoint import Checkpoint
from sensorium.train.freeze import check_freeze, covered, freeze
from sensorium.train.history import Epoch, History
from sensorium.train.interrupt import Interrupted
from sensorium.train.job import Training
from sensorium.train.loop import check_device, train
from sensorium.train.preset import with_preset
from sensorium.train.pretrain import Pretraining, pretrain
from sensorium.train.soup import check_soup

__all__ = [
    "Checkpoint",
    "Epoch",
    "History",
    "Interrupted",
    "Pretraining",
    "Training",
    "check_device",
    "check_freeze",
    "check_soup",
    "covered",
    "freeze",
    "pretrain",
    "train",
    "with_preset",
]
