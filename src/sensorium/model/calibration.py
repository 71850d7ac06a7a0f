"""Calibrate the probabilities of classifiers by temperature scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.metrics import Outcome, score
from sensorium.metrics.log_loss import SMALLEST
from sensorium.tasks import Task

Logits: TypeAlias = npt.NDArray[np.float32]

FOLDS = 5
FEWEST = 50  # rows: fewer say too little
COLDEST, HOTTEST = 0.1, 10.0
STEPS = 32  # of the golden section: the logarithm of the temperature to six digits
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Calibration:
    """Result of cross-validated temperature scaling, before and after.

    Attributes:
        temperature: the divisor of the logits; 1 if scaling did not help.
        log_loss, ece: metrics on the validation rows, each row scaled by the temperature of the other folds.
    """

    temperature: float
    log_loss: tuple[float, float]
    ece: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        found = {"log_loss": list(self.log_loss), "ece": list(self.ece)}
        return {"temperature": self.temperature, "validation": found}


def can_calibrate(measured: list[str]) -> bool:
    """Return whether the task has probabilities of classes or labels, judged by its metrics."""
    return "log_loss" in measured


def calibrate(task: Task, logits: Logits, truth: npt.NDArray[Any], seed: int) -> Calibration | None:
    """Choose a temperature (Guo et al. 2017, arXiv:1706.04599), if scaling helps on held-out validation rows.

    Each fold is scaled by the temperature that is best for the other folds. If this lowers the log loss over all folds,
    the temperature is chosen on all rows; otherwise it is 1. If all predictions were right, the best temperature would
    be 0. Labels are therefore smoothed by 1/n, as in Platt (1999, "Probabilistic outputs for support vector machines").

    Args:
        task: a task with classes or labels.
        logits: float32[n, k] of validation rows.
        truth: their encoded labels.
        seed: random seed of the folds.

    Returns:
        The calibration; None if there are too few rows.
    """
    if len(logits) < FEWEST:
        return None
    folds = np.random.default_rng(seed).permutation(len(logits)) % FOLDS
    scaled = logits.copy()
    for fold in range(FOLDS):
        rest, own = folds != fold, folds == fold
        scaled[own] /= _best_temperature(task, logits[rest], truth[rest])
    before, after = ([_measure(metric, task, x, truth) for metric in ("log_loss", "ece")] for x in (logits, scaled))
    helps = after[0] < before[0]
    temperature = _best_temperature(task, logits, truth) if helps else 1.0
    return Calibration(temperature, (before[0], after[0]), (before[1], after[1]))


def _best_temperature(task: Task, logits: Logits, truth: npt.NDArray[Any]) -> float:
    """Minimise the log loss by golden-section search; it is convex in 1 / temperature."""
    doubt = 1 / (len(logits) + 2)

    def loss(place: float) -> float:
        outcome = task.outcome(task.scores(logits / np.float32(np.exp(place))), truth)
        return float((1 - doubt) * score("log_loss", outcome)[0] + doubt * _of_any_label(outcome))

    low, high = np.log(COLDEST), np.log(HOTTEST)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    for _ in range(STEPS):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = loss(right)
    return float(np.exp((low + high) / 2))


def _measure(metric: str, task: Task, logits: npt.NDArray[Any], truth: npt.NDArray[Any]) -> float:
    return float(score(metric, task.outcome(task.scores(logits), truth))[0])


def _of_any_label(outcome: Outcome) -> float:
    """Return the log loss under a uniform distribution of the true class."""
    scores = outcome.scores if not outcome.is_multilabel else np.stack([outcome.scores, 1 - outcome.scores])
    return float(-np.log(scores.clip(SMALLEST)).mean())
