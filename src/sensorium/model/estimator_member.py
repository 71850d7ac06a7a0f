"""Classical estimators as members of a fitted model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensorium.model.inputs import Inputs
from sensorium.model.member import Kind, Present, Scores
from sensorium.prepare import Prepared
from sensorium.prepare.summaries import Summaries
from sensorium.table import Rows
from sensorium.tasks import Task, Temperature


class Estimator(Protocol):
    """Fitted classical model of a file in `baselines/`."""

    @property
    def columns(self) -> list[str]:
        """Names of the columns that it reads."""

    @property
    def parameters(self) -> int:
        """Number of learned parameters."""

    def scores(self, task: Task, cells: Prepared | Summaries, rows: Rows | None = None) -> Scores:
        """Predict scores as `Task.scores` returns them, for n rows of columns, all by default."""

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """Return what it learned as JSON values and as arrays (see `HasState`)."""


@dataclass(frozen=True)
class EstimatorMember:
    """Classical estimator with its temperature.

    Attributes:
        name: registered name of the baseline.
        estimator: the fitted estimator.
        towers: modality → its columns; together, the columns that the estimator reads.
        temperature: the divisor of its log-probabilities, one per target if there are several (see `calibration`).
    """

    name: str
    estimator: Estimator
    towers: Mapping[str, Sequence[str]]
    temperature: Temperature = 1.0

    @property
    def kind(self) -> Kind:
        return "estimator"

    @property
    def columns(self) -> list[str]:
        return list(self.estimator.columns)

    @property
    def tower_columns(self) -> Mapping[str, Sequence[str]]:
        return self.towers

    @property
    def parameters(self) -> int:
        return self.estimator.parameters

    def scores(self, task: Task, inputs: Inputs) -> Scores:
        return self._scores(task, inputs.summaries)

    def subset_scores(self, task: Task, inputs: Inputs, subsets: Sequence[Sequence[str]]) -> tuple[Scores, Present]:
        """Predict from some of its towers; the cells of the other towers count as missing."""
        shape = (len(subsets), len(inputs), *([len(task.labels)] if task.labels else []))
        scores, there = np.zeros(shape), np.zeros((len(subsets), len(inputs)), dtype=bool)
        for number, subset in enumerate(subsets):
            hidden = {name for tower, columns in self.towers.items() if tower not in subset for name in columns}
            given = inputs.summaries.hiding(hidden)
            there[number] = given.has_any()
            if there[number].any():
                scores[number, there[number]] = self._scores(task, given.take(np.flatnonzero(there[number])))
        return scores, there

    def _scores(self, task: Task, cells: Summaries) -> Scores:
        return task.tempered(self.estimator.scores(task, cells), self.temperature)

    def weights(self) -> Mapping[str, Tensor]:
        _, arrays = self.estimator.state()
        return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}

    def uncalibrated(self) -> EstimatorMember:
        return replace(self, temperature=1.0)
