"""The training loop: optimiser, schedule, early stopping, checkpoints, pre-training, events."""

from sensorium.techniques import unlabelled_learners, validating_settings, without_teacher
from sensorium.train.checkpoint import IGNORED_ON_RESUME, Checkpoint
from sensorium.train.checks import (
    check_calibration,
    check_conformal,
    check_for_model,
    check_for_task,
    check_threshold,
)
from sensorium.train.freeze import covered, freeze
from sensorium.train.history import Epoch, History
from sensorium.train.interrupt import Interrupted
from sensorium.train.length import batch_size, epoch_count
from sensorium.train.loop import train
from sensorium.train.pretrain import Pretraining, pretrain
from sensorium.train.size import check_size
from sensorium.train.tracking import open_trackers

__all__ = [
    "IGNORED_ON_RESUME",
    "Checkpoint",
    "Epoch",
    "History",
    "Interrupted",
    "Pretraining",
    "batch_size",
    "check_calibration",
    "check_conformal",
    "check_for_model",
    "check_for_task",
    "check_size",
    "check_threshold",
    "covered",
    "epoch_count",
    "freeze",
    "open_trackers",
    "pretrain",
    "train",
    "unlabelled_learners",
    "validating_settings",
    "without_teacher",
]
