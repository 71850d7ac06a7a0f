"""Contract of baselines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.baselines._columns import Columns
from sensorium.table import Floats, Rows
from sensorium.tasks import Task

SMALLEST = 1e-12  # probability at which a logarithm is cut


@dataclass(frozen=True)
class Job:
    """Data that a baseline learns from.

    Attributes:
        columns: every modality of all rows, as one matrix.
        target: [n, ...] of all rows, as the task encodes it.
        train, validation: positions of the rows.
        task: the fitted task.
        seed: random seed.
    """

    columns: Columns
    target: npt.NDArray[Any]
    train: Rows
    validation: Rows
    task: Task
    seed: int


class Baseline(ABC):
    """Classical model of one target; for several labels, one model each.

    Its file states, as literals, the tasks that it supports, and its approximate training time in seconds: for each
    output, per column of the matrix and per million of its numbers:

        TASKS = ("binary", "regression")
        SECONDS = (0.01, 0.5)

    Class attributes:
        parameters: number of learned parameters; None if it cannot be counted.

    Example:
        >>> from types import SimpleNamespace
        >>> from sensorium.baselines import Baseline
        >>> class Mean(Baseline):
        ...     def _fit(self, target):
        ...         return float(target[self.job.train].mean())
        ...
        ...     def _answer(self, model, rows):
        ...         return np.full(len(rows), model)
        >>> baseline = Mean(SimpleNamespace(target=np.array([1.0, 3.0, 9.0]), train=np.array([0, 1])))
        >>> baseline.fit()
        >>> baseline.scores(np.array([2]))
        array([2.])
    """

    parameters: int | None = None

    def __init__(self, job: Job) -> None:
        self.job = job
        self.models: list[Any] = []

    def fit(self) -> None:
        """Fit on the training rows; choices are made by the loss on the validation rows."""
        columns = self.job.target.T if self.job.target.ndim == 2 else [self.job.target]
        self.models = [self._fit(np.asarray(column)) for column in columns]

    def scores(self, rows: Rows) -> Floats:
        """Return scores like `Task.scores`."""
        answers = [self._answer(model, rows) for model in self.models]
        if self.job.target.ndim == 2:
            return np.stack([answer[:, 1] for answer in answers], 1)
        return answers[0]

    @abstractmethod
    def _fit(self, target: npt.NDArray[Any]) -> Any:
        """Fit a model of one target: int64[n] classes, float32[n] of zeros and ones for a label, float64[n] values."""

    @abstractmethod
    def _answer(self, model: Any, rows: Rows) -> Floats:
        """Return probabilities float64[n, classes], or values float64[n]."""

    @property
    def classes(self) -> int:
        """Return the number of classes of one target; 0 for a value."""
        if self.job.target.ndim == 2:
            return 2
        return len(self.job.task.labels)

    @property
    def weights(self) -> Floats:
        """Return float64[n] weights of the rows in the loss, from the class weights; ones for values and labels."""
        own = getattr(self.job.task, "weights", None)
        if own is None or self.job.target.ndim == 2:
            return np.ones(len(self.job.target))
        return np.asarray(own, np.float64)[self.job.target]

    def loss(self, answers: Floats, target: npt.NDArray[Any]) -> float:
        """Return the log loss, or the mean squared error."""
        if not self.classes:
            return float(np.square(answers - target).mean())
        found = answers[np.arange(len(target)), target.astype(np.int64)]
        return float(-np.log(np.maximum(found, SMALLEST)).mean())

    def spread(self, probabilities: Floats, seen: Iterable[float]) -> Floats:
        """Spread probabilities of the classes in the training rows over all classes."""
        found = np.zeros((len(probabilities), self.classes))
        found[:, np.asarray(list(seen), np.int64)] = probabilities
        return found
