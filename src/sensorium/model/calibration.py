"""Fit the temperature that calibrates the probabilities of a classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.metrics import SMALLEST, Outcome, log_losses
from sensorium.table import Floats, Rows
from sensorium.tasks import Task, Temperature

COLDEST, HOTTEST = 0.1, 100.0
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 1e-3, 1e3  # beyond these, probabilities are 0 and 1, or all the same
STEPS = 24  # of the golden section: the place to 1/100,000 of the range
NEAR = 1.001  # ratio to a bound: the search does not reach it exactly
GOLDEN = (5**0.5 - 1) / 2


def is_varied(truth: npt.NDArray[Any]) -> bool:
    """Return whether the rows have more than one class; for multilabel, whether a label has both values."""
    return bool((truth != truth[:1]).any())


def at_bound(temperature: float) -> bool:
    """Return whether the search ended at its bound, where the log loss may still fall."""
    return not COLDEST * NEAR < temperature < HOTTEST / NEAR


def can_calibrate(measured: Sequence[str]) -> bool:
    """Return whether the task has probabilities of classes or labels, judged by its metrics."""
    return "log_loss" in measured


@dataclass(frozen=True)
class Outputs:
    """Outputs of a model for some rows, which a temperature scales.

    Attributes:
        values: logits float32[n, k] of one network, or scores float64[n, ...] of any model, as of a blend.
        are_logits: whether they are logits.
    """

    values: npt.NDArray[Any]
    are_logits: bool

    @classmethod
    def of_logits(cls, logits: npt.NDArray[np.float32]) -> Outputs:
        return cls(logits, True)

    @classmethod
    def of_scores(cls, scores: Floats) -> Outputs:
        return cls(scores, False)

    def at(self, task: Task, temperature: Temperature) -> Floats:
        """Return the scores at a temperature."""
        if self.are_logits:
            return task.scores(task.scaled(self.values, temperature))
        return task.tempered(self.values, temperature)

    def take(self, rows: Rows | npt.NDArray[np.bool_]) -> Outputs:
        """Return the outputs for some of the rows."""
        return replace(self, values=self.values[rows])

    def of_each(self, task: Task) -> dict[str, Outputs]:
        """Return the outputs of each of several targets; empty for one target."""
        own = task.logits_of_each(self.values) if self.are_logits else task.scores_of_each(self.values)
        return {name: replace(self, values=values) for name, values in own.items()}


def outcome_at(task: Task, outputs: Outputs, truth: npt.NDArray[Any], temperature: float) -> Outcome:
    """Return the outcome of a model at a temperature.

    Args:
        task: a task with classes or labels.
        outputs: the outputs of the model.
        truth: encoded labels of the same rows.
        temperature: the divisor of the logits, or of the log-probabilities.
    """
    return task.outcome(outputs.at(task, temperature), truth)


def with_varied_labels(outcome: Outcome) -> Outcome:
    """Return a multilabel outcome of the labels that have both values: a temperature only pushes the others apart."""
    if not outcome.is_multilabel:
        return outcome
    varied = (outcome.truth != outcome.truth[:1]).any(0)
    return Outcome(outcome.truth[:, varied], outcome.scores[:, varied], outcome.predicted[:, varied])


def fit_temperature(task: Task, outputs: Outputs, truth: npt.NDArray[Any], *, steps: int = STEPS) -> float:
    """Find the temperature with the lowest log loss (Guo et al. 2017, arXiv:1706.04599) by golden-section search.

    If all predictions were right, the best temperature would be 0. Labels are therefore smoothed by 1/n, as in Platt
    (1999, "Probabilistic outputs for support vector machines"). The arguments are those of `outcome_at`.

    Rows of one class fit every temperature the better, the colder it is: theirs is 1.
    """
    if not is_varied(truth):
        return 1.0
    doubt = 1 / (len(truth) + 2)

    def loss(place: float) -> float:
        outcome = with_varied_labels(outcome_at(task, outputs, truth, float(np.exp(place))))
        return float((1 - doubt) * log_losses(outcome).mean() + doubt * _of_any_label(outcome))

    return float(np.exp(minimize(loss, np.log(COLDEST), np.log(HOTTEST), steps=steps)))


def minimize(loss: Callable[[float], float], low: float, high: float, *, steps: int = STEPS) -> float:
    """Return the place of the minimum of a unimodal function between two bounds, by golden-section search.

    Each step shortens the range to 0.62 of its length.
    """
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    for _ in range(steps):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = loss(right)
    return float((low + high) / 2)


def _of_any_label(outcome: Outcome) -> float:
    """Return the log loss under a uniform distribution of the true class."""
    scores = outcome.scores if not outcome.is_multilabel else np.stack([outcome.scores, 1 - outcome.scores])
    return float(-np.log(scores.clip(SMALLEST)).mean())
