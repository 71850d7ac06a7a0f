"""Validate the model, always in float32."""

from __future__ import annotations

import math

import numpy as np
import torch

from sensorium.config import TrainConfig, set_both
from sensorium.errors import TrainingError
from sensorium.metrics import score
from sensorium.model import infer
from sensorium.techniques import TrainingContext


def validate(context: TrainingContext, watched: str) -> tuple[float, float]:
    """Return loss and watched metric on the validation rows; NaN without such rows."""
    if not len(context.validation_rows):
        return math.nan, math.nan
    logits = infer(context.model, context.loader, context.validation_rows, context.batch_size)
    truth = context.target[context.validation_rows]
    loss = float(context.task.loss(torch.from_numpy(logits), torch.from_numpy(truth)))
    return loss, float(score(watched, context.task.outcome(context.task.scores(logits), truth))[0])


def check_answers(context: TrainingContext, config: TrainConfig, epoch: int) -> None:
    """Check that predictions are finite, because the last step of an epoch may have damaged the weights.

    Raises:
        TrainingError: a prediction is not finite.
    """
    rows = context.train_rows[: context.batch_size]
    if not np.isfinite(infer(context.model, context.loader, rows, len(rows))).all():
        raise diverged(f"predictions are not finite after epoch {epoch}", config)


def diverged(finding: str, config: TrainConfig) -> TrainingError:
    """Return the error for values that are not finite."""
    lower = float(f"{config.learning_rate / 10:g}")
    cure = f"use a lower learning rate: {set_both('train.learning_rate', lower)}"
    return TrainingError(finding, rule="finite values", cure=cure)
