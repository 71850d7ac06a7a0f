"""Early stopping: patience, a perfect validation metric, and a plateau of loss and metric.

The rules watch the metric, also where `train.select_by` chooses the epoch by another criterion: stopping by a smoothed
criterion would train longer. Only patience can watch the log loss instead (`train.stop_by`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from sensorium.config import TrainConfig
from sensorium.metrics import best_value, score
from sensorium.techniques import TrainingContext
from sensorium.train.history import Epoch, History

PERFECT, FLAT = 3, 5  # epochs after which a perfect metric, and a plateau, end the training
TOLERANCE = 1e-3  # a value is flat if it changes by at most this share of its range so far,
MAX_CHANGE = 1e-2  # and by at most this share of its size;
ROUNDING = 1e-6  # or by this share of its size: the order of a sum
OUTLIER = 10  # times the present size: such values are no part of the range, as the first epochs may be far off
FEWEST = 10  # validation rows: the metric of fewer is perfect by luck
SURE = 0.25  # of the log loss of predicting class frequencies: above it, a perfect ranking is not yet a good prediction


@dataclass(frozen=True)
class EarlyStop:
    """Reason why a training ended before its last epoch.

    Attributes:
        reason: `patience` (no better value of `train.stop_by`), `perfect` (the metric was at its best possible value),
            `plateau` (training loss and metric did not change) or `callback` (a callback raised `StopTraining`).
        epoch: the last epoch.
        epochs: number of epochs for which the reason held.
        value: the perfect value of the metric; None for other reasons.
    """

    reason: Literal["patience", "perfect", "plateau", "callback"]
    epoch: int
    epochs: int
    value: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the reason as JSON values."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class EarlyStopping:
    """Rules of early stopping. They depend on the history alone, so a resumed training stops after the same epoch.

    Epochs of the warm-up do not count for a perfect metric and a plateau: the learning rate still rises.

    Args:
        context: context of the training.
        config: settings of the loop.
        watched: the watched metric.
    """

    def __init__(self, context: TrainingContext, config: TrainConfig, watched: str) -> None:
        self.epochs, self.patience = context.epochs, config.patience
        self._at_plateau = bool(config.patience and config.stop_at_plateau)
        self._warmup = math.ceil(config.warmup * context.epochs)
        self._perfect = max(PERFECT, config.soup)  # a soup averages as many epochs
        self._goal = _goal(context, watched) if self._at_plateau else None

    def check(self, history: History, *, by_callback: bool = False) -> EarlyStop | None:
        """Return the reason to stop after the latest epoch; None if training continues or all epochs are done.

        Args:
            history: the epochs so far.
            by_callback: whether a callback has ended the training.
        """
        done = len(history.epochs)
        if done >= self.epochs:
            return None
        if self._goal and self._perfect_for(history) >= self._perfect:
            return EarlyStop("perfect", done, self._perfect, self._goal.best)
        if self.patience and done - history.improved >= self.patience:
            return EarlyStop("patience", done, self.patience)
        if self._at_plateau and done - self._warmup > FLAT and _is_flat(history.epochs):
            return EarlyStop("plateau", done, FLAT)
        return EarlyStop("callback", done, 1) if by_callback else None

    def earliest(self, history: History) -> int | None:
        """Return the earliest epoch after which training stops if nothing improves; None if at the end."""
        done, possible = len(history.epochs), list[int]()
        if self.patience and not math.isnan(history.epochs[-1].validation_loss):
            possible.append(history.improved + self.patience)
        if self._goal and (held := self._perfect_for(history)):
            possible.append(done + self._perfect - held)
        return min((epoch for epoch in possible if done < epoch < self.epochs), default=None)

    def _perfect_for(self, history: History) -> int:
        """Return the number of latest epochs after the warm-up with a perfect metric."""
        count = 0
        for epoch in reversed(history.epochs[self._warmup :]):
            if self._goal is None or not self._goal.reached(epoch):
                break
            count += 1
        return count


@dataclass(frozen=True)
class _Goal:
    """Best possible value of the metric, and the largest validation loss that goes with it."""

    best: float
    loss: float

    def reached(self, epoch: Epoch) -> bool:
        return math.isclose(epoch.metric, self.best) and epoch.validation_loss <= self.loss


def _goal(context: TrainingContext, watched: str) -> _Goal | None:
    """Return the goal; None if the metric has no best value, or few rows or a constant prediction reach it."""
    best, rows = best_value(watched), context.validation_rows
    if best is None or len(rows) < FEWEST or not context.supervised:
        return None
    task, prior = context.task, np.asarray(context.task.prior(context.target[context.train_rows]))
    constant = np.repeat(prior[None], len(rows), 0) if task.labels else np.repeat(prior, len(rows))
    chance = task.outcome(constant, context.target[rows])
    if math.isclose(float(score(watched, chance)[0]), best):
        return None
    probable = bool(task.labels) and not chance.parts
    return _Goal(best, SURE * float(score("log_loss", chance)[0]) if probable else math.inf)


def _is_flat(epochs: Sequence[Epoch]) -> bool:
    """Return whether training loss and validation metric are flat; the validation loss replaces an undefined metric."""
    metric = [epoch.metric for epoch in epochs]
    if any(map(math.isnan, metric)):
        metric = [epoch.validation_loss for epoch in epochs]
    return all(map(_flat, ([epoch.loss for epoch in epochs], metric)))


def _flat(values: Sequence[float]) -> bool:
    known = [value for value in values if not math.isnan(value)]
    latest = [value for value in values[-FLAT - 1 :] if not math.isnan(value)]
    if not latest:
        return True
    size = max(map(abs, latest))
    comparable = [value for value in known if abs(value) <= OUTLIER * size]
    limit = min(TOLERANCE * (max(comparable) - min(comparable)), MAX_CHANGE * size)
    limit = max(limit, ROUNDING * size)
    return max(latest) - min(latest) <= limit
