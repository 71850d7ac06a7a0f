"""What the model answers to rows that it does not learn from; always in float32."""

from __future__ import annotations

import math

import numpy as np
import torch

from sensorium.config import TrainConfig
from sensorium.errors import TrainingError
from sensorium.metrics import score
from sensorium.model import infer
from sensorium.train.job import Training


def validate(job: Training, watched: str, size: int) -> tuple[float, float]:
    """Loss and watched metric on the validation rows, NaN without any."""
    if not len(job.validation_rows):
        return math.nan, math.nan
    logits = infer(job.model, job.loader, job.validation_rows, size)
    truth = job.target[job.validation_rows]
    loss = float(job.task.loss(torch.from_numpy(logits), torch.from_numpy(truth)))
    return loss, float(score(watched, job.task.outcome(job.task.scores(logits), truth))[0])


def check_answers(job: Training, config: TrainConfig, size: int, epoch: int) -> None:
    """The last step of an epoch may break the weights after its loss was taken.

    Raises:
        TrainingError: it did.
    """
    rows = job.train_rows[:size]
    if not np.isfinite(infer(job.model, job.loader, rows, len(rows))).all():
        raise diverged(f"the answers are no numbers any more after epoch {epoch}", config)


def diverged(finding: str, config: TrainConfig) -> TrainingError:
    """What to say of numbers that are none."""
    cure = f"a lower rate: --set train.learning_rate={config.learning_rate / 10:g}"
    return TrainingError(finding, rule="finite numbers", cure=cure)
