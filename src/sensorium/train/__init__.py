"""The training loop: optimiser, schedule, early stopping, best weights kept; checkpoints; and what may go before it."""

from sensorium.techniques import learn_from_unlabelled as unlabelled_learners
from sensorium.techniques import without_teacher
from sensorium.train.checkpoint import Checkpoint
from sensorium.train.checks import check_calibration, check_for_model, check_for_task
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
    "check_calibration",
    "check_device",
    "check_for_model",
    "check_for_task",
    "check_freeze",
    "check_soup",
    "covered",
    "freeze",
    "pretrain",
    "train",
    "unlabelled_learners",
    "with_preset",
    "without_teacher",
]
