"""Validate the model, always in float32."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from sensorium.config import TrainConfig, set_both
from sensorium.errors import TrainingError
from sensorium.metrics import Outcome, score
from sensorium.model import infer
from sensorium.table import Rows
from sensorium.tasks import prior_scores
from sensorium.techniques import TrainingContext


def validate(context: TrainingContext, watched: str) -> tuple[float, float]:
    """Return loss and watched metric on the validation rows; NaN without such rows.

    The loss is that of the rows that have a value. The metric is that of all rows, as `evaluate` computes it.
    """
    if not len(context.validation_rows):
        return math.nan, math.nan
    rows = context.validation_rows
    logits = infer(context.model, context.loader, rows, context.batch_size)
    there = context.loader.has_any(rows)
    if not there.any():
        return math.nan, math.nan
    rows, logits = rows[there], logits[there]
    loss = float(context.task.loss(torch.from_numpy(logits), torch.from_numpy(context.target[rows])))
    return loss, float(score(watched, _outcome(context, rows, logits))[0])


def _outcome(context: TrainingContext, rows: Rows, logits: npt.NDArray[np.float32]) -> Outcome:
    """Return the outcome of all validation rows, in their order; those without any value get the prior."""
    every = np.union1d(context.validation_rows, context.empty_rows)
    scores = context.task.corrected(logits, context.target[rows]).scores(logits)
    if len(rows) < len(every):
        filled, scores = scores, prior_scores(context.task, context.prior, len(every))
        scores[np.searchsorted(every, rows)] = filled
    return context.task.outcome(scores, context.target[every])


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
