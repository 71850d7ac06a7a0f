"""The contract that every baseline keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.baselines._columns import Columns
from sensorium.tasks import Task

Floats: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.int64]

SMALLEST = 1e-12  # probability at which a logarithm is cut


@dataclass(frozen=True)
class Job:
    """What a baseline learns from.

    Attributes:
        columns: every modality of all rows, as one matrix.
        target: [n, ...] of all rows, as the task encodes it.
        train, validation: places of the rows.
        task: what was learnt of the labels.
        seed: of all chance.
    """

    columns: Columns
    target: npt.NDArray[Any]
    train: Rows
    validation: Rows
    task: Task
    seed: int


class Baseline(ABC):
    """A classical model of one target; of several labels, one model each.

    Its file says which tasks it suits, and about how many seconds it takes, for each output, for a column of the
    matrix and for a million of its numbers, as literals:

        TASKS = ("binary", "regression")
        SECONDS = (0.01, 0.5)

    Class attributes:
        parameters: numbers that were learnt; None where they can't be counted.

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
        """Learn from the training rows; what is to be chosen is chosen by the loss on the validation rows."""
        columns = self.job.target.T if self.job.target.ndim == 2 else [self.job.target]
        self.models = [self._fit(np.asarray(column)) for column in columns]

    def scores(self, rows: Rows) -> Floats:
        """As `Task.scores` has them."""
        answers = [self._answer(model, rows) for model in self.models]
        if self.job.target.ndim == 2:
            return np.stack([answer[:, 1] for answer in answers], 1)
        return answers[0]

    @abstractmethod
    def _fit(self, target: npt.NDArray[Any]) -> Any:
        """The model of one target: int64[n] classes, float32[n] of zeros and ones for a label, float64[n] values."""

    @abstractmethod
    def _answer(self, model: Any, rows: Rows) -> Floats:
        """Probabilities float64[n, classes], or values float64[n]."""

    @property
    def classes(self) -> int:
        """Classes of one target; 0 where it is a value."""
        if self.job.target.ndim == 2:
            return 2
        return len(self.job.task.labels)

    @property
    def weights(self) -> Floats:
        """float64[n]: of the rows in the loss, as the task weights their classes; ones for values and labels."""
        own = getattr(self.job.task, "weights", None)
        if own is None or self.job.target.ndim == 2:
            return np.ones(len(self.job.target))
        return np.asarray(own, np.float64)[self.job.target]

    def loss(self, answers: Floats, target: npt.NDArray[Any]) -> float:
        """Log loss, or mean squared error."""
        if not self.classes:
            return float(np.square(answers - target).mean())
        found = answers[np.arange(len(target)), target.astype(np.int64)]
        return float(-np.log(np.maximum(found, SMALLEST)).mean())

    def spread(self, probabilities: Floats, seen: Iterable[float]) -> Floats:
        """Probabilities of the classes that training rows have → of all classes."""
        found = np.zeros((len(probabilities), self.classes))
        found[:, np.asarray(list(seen), np.int64)] = probabilities
        return found
