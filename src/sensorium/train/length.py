"""Default batch size and number of epochs."""

from __future__ import annotations

import math

import numpy as np

from sensorium.config import PretrainConfig, TrainConfig

STEPS = 1500  # optimiser steps that the default number of epochs aims at
FEWEST, MOST = 5, 60  # epochs
LARGEST_BATCH, SMALLEST_BATCH, BATCHES = 64, 8, 20  # a default batch leaves this many batches in an epoch, if it can


def batch_size(config: TrainConfig | PretrainConfig, rows: int) -> int:
    """Return the setting, or by default 64, or less if there are few rows."""
    return config.batch_size or int(np.clip(rows // BATCHES, SMALLEST_BATCH, LARGEST_BATCH))


def epoch_count(config: TrainConfig | PretrainConfig, rows: int) -> int:
    """Return the setting, or by default the number of epochs that gives about `STEPS` steps."""
    per_epoch = math.ceil(rows / batch_size(config, rows))
    return config.epochs or int(np.clip(math.ceil(STEPS / per_epoch), FEWEST, MOST))
