"""Validate the model, always in float32."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sensorium.config import TrainConfig, set_both
from sensorium.errors import TrainingError
from sensorium.metrics import Outcome, log_losses, score
from sensorium.model import Outputs, fit_temperature, infer, outcome_at
from sensorium.table import Rows
from sensorium.tasks import EncodedTarget, Task, prior_scores
from sensorium.techniques import TrainingContext

MAX_LOGITS = 200_000  # that fit the temperature of an epoch, in a tenth of a second
STEPS = 12  # of the search for the temperature: 2% of it, which moves the log loss by less


@dataclass(frozen=True)
class Validated:
    """Figures of the validation rows after an epoch; NaN without such rows.

    Attributes:
        loss: mean loss of the task, over the rows that have a value.
        metric: the watched metric of all rows, as `evaluate` computes it.
        calibrated_loss: log loss after the best temperature of 1 or more, over the rows that have a value; the loss of
            the task where there are no classes; for several targets, the mean over them.
    """

    loss: float = math.nan
    metric: float = math.nan
    calibrated_loss: float = math.nan


def validate(context: TrainingContext, watched: str) -> Validated:
    """Evaluate the model on the validation rows."""
    if not len(context.validation_rows):
        return Validated()
    rows = context.validation_rows
    logits = infer(context.model, context.loader, rows, context.batch_size)
    there = context.loader.has_any(rows)
    if not there.any():
        return Validated()
    rows, logits = rows[there], logits[there]
    target = context.target[rows]
    loss = _loss(context.task, logits, target)
    metric = float(score(watched, _outcome(context, rows, logits))[0])
    return Validated(loss, metric, calibrated_loss(context.task, logits, target))


def calibrated_loss(task: Task, logits: npt.NDArray[np.float32], target: npt.NDArray[Any]) -> float:
    """Return the log loss of some rows after the best temperature of 1 or more (Guo et al. 2017).

    This forgives overconfidence, which calibration corrects: the plain log loss of a network rises long before its
    predictions get worse. Colder temperatures would also forgive networks that have not learned enough. Without
    classes, it is the loss of the task; for several targets, the mean over those with a known label.
    """
    parts = task.each(EncodedTarget(target, np.ones(len(target), np.bool_), []))
    if parts:
        own = task.logits_of_each(logits)
        known = {name: labels.known for name, (_, labels) in parts.items() if labels.known.any()}
        losses = [calibrated_loss(parts[n][0], own[n][rows], parts[n][1].values[rows]) for n, rows in known.items()]
        return sum(losses) / len(losses) if losses else math.nan
    if not task.labels:
        return _loss(task, logits, target)
    outputs = Outputs.of_logits(logits)
    every = max(1, -(-logits.size // MAX_LOGITS))
    temperature = fit_temperature(task, Outputs.of_logits(logits[::every]), target[::every], steps=STEPS)
    divisors = {1.0, max(1.0, temperature)}  # that of rows without a mistake is warmer than their best one
    return min(float(log_losses(outcome_at(task, outputs, target, divisor)).mean()) for divisor in divisors)


def _loss(task: Task, logits: npt.NDArray[np.float32], target: npt.NDArray[Any]) -> float:
    return float(task.loss(torch.from_numpy(np.ascontiguousarray(logits)), torch.from_numpy(target)))


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
