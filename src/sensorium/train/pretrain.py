"""Learning from the training rows without their labels, before the task: the same loop, other terms of the loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sensorium.config import PretrainConfig, TrainConfig
from sensorium.runtime.progress import Reporter
from sensorium.techniques import fitting
from sensorium.train.history import History
from sensorium.train.job import Training
from sensorium.train.loop import train


@dataclass(frozen=True)
class Pretraining:
    """How it went.

    Attributes:
        rows, unlabelled: training rows that were learnt from; how many of them have no label.
        history: of its epochs; there is nothing to validate.
    """

    rows: int
    unlabelled: int
    history: History

    def to_json(self) -> dict[str, Any]:
        """For the model's card: loss, rate and time of each epoch, and what the techniques report."""
        told = self.history.to_json()
        kept = ("number", "loss", "learning_rate", "rows_per_second", "seconds")
        epochs = [{key: epoch[key] for key in kept} for epoch in told["epochs"]]
        return {
            "rows": self.rows,
            "unlabelled": self.unlabelled,
            "epochs": epochs,
            "techniques": told["techniques"],
        }

    def to_state(self) -> dict[str, Any]:
        """JSON values that `restore` takes: a run that is taken up is not pre-trained again."""
        kept = {"rows": self.rows, "unlabelled": self.unlabelled, "seconds": self.history.seconds}
        return kept | {"history": self.history.to_json()}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Pretraining:
        """As it was when `to_state` was asked."""
        told = state["history"]
        history = History(told["watched"], techniques=told["techniques"], seconds=state["seconds"])
        history.restore(told)
        return cls(state["rows"], state["unlabelled"], history)


def pretrain(job: Training, config: TrainConfig, seed: int, report: Reporter) -> Pretraining | None:
    """Train the towers (and the fusion, where a technique goes through it) on all training rows, labelled or not.

    The techniques' own heads are thrown away. Modality dropout is off: what is hidden can't be compared. None where the
    model has one tower and every technique is about several.

    Args:
        job: as for the training that follows; the model ends with the weights of the last epoch.
        config: `pretrain` is set; the optimiser, the schedule and the rest are those of the training.
        seed: of the order of rows and of augmentations.
        report: where progress is told.

    Raises:
        TrainingError: the loss is no number any more.
    """
    assert config.pretrain
    if not fitting(config.pretrain.techniques, len(job.model.towers)):
        return None
    rows = np.union1d(job.train_rows, job.unlabelled_rows)
    none = rows[:0]
    before = replace(job, train_rows=rows, validation_rows=none, unlabelled_rows=none, supervised=False)
    before = replace(before, enough=lambda: False)  # that is asked about the training
    history = train(before, _settings(config, config.pretrain), seed, report=report, keep=lambda: None)
    return Pretraining(len(rows), len(job.unlabelled_rows), history)


def _settings(config: TrainConfig, own: PretrainConfig) -> TrainConfig:
    """The training's, with what pre-training has of its own."""
    changed = {
        "techniques": own.techniques,
        "epochs": own.epochs,
        "batch_size": own.batch_size,
        "learning_rate": own.learning_rate or config.learning_rate,
        "modality_dropout": 0.0,
        "teacher": None,
        "soup": 1,  # there are no validation rows to choose by
    }
    return config.model_copy(update=changed)
