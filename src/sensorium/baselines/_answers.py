"""Convert raw scores of classical models to scores, like those of `Task.scores`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.metrics import poisson_deviances
from sensorium.table import Floats
from sensorium.tasks import Distribution, Task, Value
from sensorium.tasks.regression import Regression

SMALLEST = 1e-12  # probability at which a logarithm is cut


def count_outputs(classes: int) -> int:
    """Return the number of raw scores for the classes that occurred; 1 for a value, which has none."""
    return {0: 1, 1: 0, 2: 1}.get(classes, classes)


def distribution_of(task: Task) -> Distribution:
    """Return the distribution of a target of numbers; the normal one for targets with classes, which do not use it."""
    return task.distribution if isinstance(task, Value) else "normal"


def standardise(task: Task, target: npt.NDArray[Any]) -> Floats:
    """Return values as models are fitted to them (see `Value.standardized`)."""
    assert isinstance(task, Value)
    return task.standardized(target)


def error_points(task: Task, raw: Floats, target: npt.NDArray[Any]) -> list[float]:
    """Return the distribution of the errors of raw scores, if the scores of the task depend on it."""
    if not (isinstance(task, Regression) and task.corrects_bias and len(raw)):
        return []
    return list(task.corrected(raw, target).errors)


def with_errors(task: Task, errors: Sequence[float]) -> Task:
    """Return the task with a distribution of errors, if its scores depend on one."""
    return replace(task, errors=list(errors)) if isinstance(task, Regression) and task.corrects_bias else task


def answers(raw: Floats, seen: Sequence[int], classes: int, task: Task) -> Floats:
    """Return probabilities float64[n, classes], 0 for classes that did not occur; or values float64[n].

    Args:
        raw: float64[n, outputs] (see `Model.raw`).
        seen: the classes that occurred.
        classes: number of classes of one target; 0 for a value.
        task: converts raw scores to values.
    """
    if not classes:
        return task.scores(raw)
    found = np.zeros((len(raw), classes))
    found[:, np.asarray(seen, np.int64)] = _probabilities(raw)
    return found


def loss(
    scores: Floats,
    target: npt.NDArray[Any],
    classes: int,
    *,
    unit: float = 1.0,
    distribution: Distribution = "normal",
) -> float:
    """Return the sum over rows of the losses.

    Args:
        scores: probabilities float64[n, classes], or values float64[n].
        target: the classes or values.
        classes: number of classes, whose log losses are added; 0 for values.
        unit: unit of errors, by which they are divided before they are squared.
        distribution: of values: squared errors are added, or Poisson deviances of counts.
    """
    if not classes and distribution == "poisson":
        return float(poisson_deviances(target, scores).sum())
    if not classes:
        return float(np.square((scores - target) / unit).sum())
    found = scores[np.arange(len(target)), target.astype(np.int64)]
    return float(-np.log(np.maximum(found, SMALLEST)).sum())


def _probabilities(raw: Floats) -> Floats:
    if raw.shape[1] == 0:
        return np.ones((len(raw), 1))
    if raw.shape[1] == 1:
        positive = 0.5 * (1 + np.tanh(0.5 * raw[:, 0]))
        return np.stack([1 - positive, positive], 1)
    shifted = np.exp(raw - raw.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True), np.float64)
