"""What a run of the loop works on, and how long it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.augment import Augmentations
from sensorium.config import TrainConfig
from sensorium.model import FusionModel
from sensorium.prepare.loader import Loader
from sensorium.tasks import Task

Rows: TypeAlias = npt.NDArray[np.int64]

STEPS = 1500  # optimiser steps that the default number of epochs aims at
FEWEST, MOST = 5, 60  # epochs
LARGEST_BATCH, SMALLEST_BATCH, BATCHES = 64, 8, 20  # a default batch leaves this many batches in an epoch, if it can


@dataclass(frozen=True)
class Training:
    """What a run of the loop works on.

    Attributes:
        augmentations: change the cells of its training rows alone.
        taught: a teacher's scores of all rows.
        unlabelled_rows: training rows without a label.
        supervised: the task's loss counts; without it, only the terms that techniques add.
        enough: asked after each epoch whether to end here.
    """

    model: FusionModel
    task: Task
    loader: Loader
    train_rows: Rows
    validation_rows: Rows
    target: npt.NDArray[Any]
    augmentations: Augmentations
    teacher_scores: npt.NDArray[np.float64] | None = None
    unlabelled_rows: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    supervised: bool = True
    enough: Callable[[], bool] = lambda: False


def batch_size(config: TrainConfig, rows: int) -> int:
    """As set; by default 64, less where the rows are few."""
    return config.batch_size or int(np.clip(rows // BATCHES, SMALLEST_BATCH, LARGEST_BATCH))


def epoch_count(config: TrainConfig, rows: int) -> int:
    """As set; by default as many as give about `STEPS` steps."""
    per_epoch = math.ceil(rows / batch_size(config, rows))
    return config.epochs or int(np.clip(math.ceil(STEPS / per_epoch), FEWEST, MOST))
