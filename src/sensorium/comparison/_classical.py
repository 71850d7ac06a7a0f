"""Baselines on the rows of an experiment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property

import torch

from sensorium.baselines import Baseline, Columns, Job, flatten_columns, left_out, not_installed
from sensorium.comparison._result import Cost
from sensorium.comparison._trial import Trial
from sensorium.experiment import Experiment
from sensorium.metrics import score
from sensorium.registry import baselines
from sensorium.runtime.profiling import ResourceMeter
from sensorium.split import SPLITS

CPU = torch.device("cpu")


@dataclass
class Classical:
    """Trains baselines; what they share, the matrix of all columns, is made once.

    Args:
        experiment: the table, prepared.
        asked: somebody asked for them: they are trained however long they take.
    """

    experiment: Experiment
    asked: bool

    def why_not(self, name: str) -> str:
        """Why a baseline is not trained; empty where it is."""
        if self.asked:
            return ""
        if reason := not_installed():
            return reason
        task = self.experiment.task
        shape = len(self.experiment.rows("train")), self._matrix[0].values.shape[1]
        return left_out(name, self.experiment.task_name, shape, task.outputs)

    def train(self, registered: str, metric: str) -> Trial:
        """Fit on the training rows, choose on the validation rows, answer the test rows."""
        experiment, (columns, _) = self.experiment, self._matrix
        train, validation, test = (experiment.rows(split) for split in SPLITS)
        job = Job(columns, experiment.target, train, validation, experiment.task, experiment.config.seed)
        with ResourceMeter(CPU) as fitting:
            model: Baseline = baselines.load(registered)(job)
            model.fit()
        start = time.perf_counter()
        scores = model.scores(test)
        answering = time.perf_counter() - start
        outcome = experiment.task.outcome(model.scores(validation), experiment.target[validation])
        cost = self._cost(model.parameters, fitting, answering)
        return Trial(scores, float(score(metric, outcome)[0]), cost)

    def _cost(self, parameters: int | None, fitting: ResourceMeter, answering: float) -> Cost:
        """Of making the matrix and of the model; rows that are answered are made into numbers first."""
        columns, made = self._matrix
        rows, test = len(self.experiment.target), len(self.experiment.rows("test"))
        memory = energy = None
        if made.memory is not None and fitting.memory is not None:
            memory = max(made.memory, columns.values.nbytes / 1e6 + fitting.memory)
        if made.energy is not None and fitting.energy is not None:
            energy = made.energy + fitting.energy
        rate = test / (made.seconds * test / rows + answering)
        return Cost(made.seconds + fitting.seconds, parameters, memory, energy, rate)

    @cached_property
    def _matrix(self) -> tuple[Columns, ResourceMeter]:
        with ResourceMeter(CPU) as meter:
            columns = flatten_columns(
                self.experiment.prepared, self.experiment.rows("train"), self.experiment.config.seed
            )
        return columns, meter
