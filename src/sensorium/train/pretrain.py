"""Self-supervised pre-training: the same loop without labels, before training for the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sensorium.config import PretrainConfig, TrainConfig
from sensorium.runtime.progress import Reporter
from sensorium.techniques import TrainingContext, fitting
from sensorium.train.history import History
from sensorium.train.length import batch_size, epoch_count
from sensorium.train.loop import train


@dataclass(frozen=True)
class Pretraining:
    """Result of pre-training.

    Attributes:
        rows, unlabelled: number of training rows; number of those without a label.
        history: history of pre-training, without validation.
    """

    rows: int
    unlabelled: int
    history: History

    def to_json(self) -> dict[str, Any]:
        """Return loss, learning rate and time of each epoch, and the reports of the techniques, for the model card."""
        content = self.history.to_json()
        shared = ("number", "loss", "learning_rate", "rows_per_second", "seconds")
        epochs = [{key: epoch[key] for key in shared} for epoch in content["epochs"]]
        return {
            "rows": self.rows,
            "unlabelled": self.unlabelled,
            "epochs": epochs,
            "techniques": content["techniques"],
        }

    def to_state(self) -> dict[str, Any]:
        """Return JSON values for `restore`: a resumed run is not pre-trained again."""
        shared = {"rows": self.rows, "unlabelled": self.unlabelled, "seconds": self.history.seconds}
        return shared | {"history": self.history.to_json()}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Pretraining:
        """Restore what `to_state` returned."""
        content = state["history"]
        history = History(content["watched"], techniques=content["techniques"], seconds=state["seconds"])
        history.restore(content)
        return cls(state["rows"], state["unlabelled"], history)


def pretrain(context: TrainingContext, config: TrainConfig, seed: int, report: Reporter) -> Pretraining | None:
    """Train the towers (and the fusion, if a technique uses it) on all training rows, with and without a label.

    The heads of the techniques are discarded. Modality dropout is off: a hidden modality cannot be compared. Returns
    None if the model has one tower and every technique needs several.

    Args:
        context: context of the training that follows; the model gets the weights of the last epoch.
        config: settings of training; `pretrain` overrides some of them.
        seed: random seed for the order of rows and for augmentations.
        report: receives the progress.

    Raises:
        TrainingError: the loss is not finite.
        CallbackError: a callback raised an exception.
    """
    assert config.pretrain
    if not fitting(config.pretrain.techniques, len(context.model.towers)):
        return None
    rows = np.union1d(context.train_rows, context.unlabelled_rows)
    before = replace(
        context,
        train_rows=rows,
        validation_rows=rows[:0],
        empty_rows=rows[:0],
        unlabelled_rows=rows[:0],
        batch_size=batch_size(config.pretrain, len(rows)),
        epochs=epoch_count(config.pretrain, len(rows)),
        supervised=False,
        should_stop=lambda: False,  # it is about the training
    )
    history = train(before, _settings(config, config.pretrain), seed, report=report, keep=lambda: None)
    return Pretraining(len(rows), len(context.unlabelled_rows), history)


def _settings(config: TrainConfig, own: PretrainConfig) -> TrainConfig:
    """Return the settings of training, as `pretrain` changes them."""
    changed = {
        "techniques": own.techniques,
        "learning_rate": own.learning_rate or config.learning_rate,
        "modality_dropout": 0.0,
        "teacher": None,
        "soup": 1,  # there are no validation rows to choose a soup by
    }
    return config.model_copy(update=changed)
