"""Context of a training, which the loop and the techniques share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.augment import Augmentations
from sensorium.modalities import Modality
from sensorium.model import FusionModel
from sensorium.prepare.loader import Loader
from sensorium.runtime.events import Callback
from sensorium.table import Rows
from sensorium.tasks import Task


@dataclass(frozen=True)
class TrainingContext:
    """Model, data and plan of one training.

    Attributes:
        model: the network that is trained.
        task: loss and scores.
        loader: makes batches of rows.
        train_rows, validation_rows: indices of the rows that have a value.
        target: encoded labels of all rows, [n, ...].
        batch_size: rows per step.
        epochs: maximum number of epochs.
        empty_rows: indices of the validation rows without any value, whose scores are the prior.
        prior: scores of a row without any value.
        teacher_scores: scores of the teacher (`train.teacher`) for all rows; None without one.
        unlabelled_rows: indices of the training rows without a label; their `target` has no meaning.
        augmentations: applied to the cells of training rows.
        supervised: whether the loss of the task counts; if not, only the terms that techniques add.
        should_stop: called after each epoch; True ends the training.
        callbacks: receive the events of the training.
        trial: name of the model in these events.
        learnt: column → its modality.
        preset: name of the preset of the fit, as some settings replace one that is not named; empty without one.
    """

    model: FusionModel
    task: Task
    loader: Loader
    train_rows: Rows
    validation_rows: Rows
    target: npt.NDArray[Any]
    batch_size: int
    epochs: int
    empty_rows: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    prior: Sequence[float] = ()
    teacher_scores: npt.NDArray[np.float64] | None = None
    unlabelled_rows: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    augmentations: Augmentations = field(default_factory=dict)
    supervised: bool = True
    should_stop: Callable[[], bool] = lambda: False
    callbacks: Sequence[Callback] = ()
    trial: str = "model"
    learnt: Mapping[str, Modality] = field(default_factory=dict)
    preset: str = ""
