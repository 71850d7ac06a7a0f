"""One training of one model, and what is kept of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import mean
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.comparison._plan import Candidate
from sensorium.comparison._result import Cost
from sensorium.experiment import Experiment
from sensorium.model import FittedModel
from sensorium.runtime.profiling import ResourceMeter

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """What a comparison needs to know of one training.

    Attributes:
        scores: of the test rows.
        validation: watched metric on all validation rows, of the model as it is saved; NaN where it is not defined.
        cost: of this training.
    """

    scores: Floats
    validation: float
    cost: Cost


def train_network(experiment: Experiment, candidate: Candidate, metric: str) -> tuple[Trial, FittedModel]:
    """Train, test, measure."""
    with ResourceMeter(experiment.device) as meter:
        trained = experiment.train(candidate.variant)
    bundle, rows = trained.bundle, experiment.rows("test")
    prepared = experiment.prepared.only(bundle.learnt)
    start = time.perf_counter()
    with bundle.network.reading_features(experiment.frozen):
        scores = bundle.scores(prepared, rows)
    rate = len(rows) / (time.perf_counter() - start)
    parameters = sum(p.numel() for p in bundle.network.parameters() if p.requires_grad)
    cost = Cost(trained.seconds, parameters, meter.memory, meter.energy, rate)
    return Trial(scores, trained.validated(metric), cost), bundle


def mean_cost(trials: list[Trial]) -> Cost:
    """Of several seeds."""
    costs = [trial.cost for trial in trials]
    memory, energy = [cost.memory for cost in costs], [cost.energy for cost in costs]
    return Cost(
        seconds=mean(cost.seconds for cost in costs),
        parameters=costs[0].parameters,
        memory=_mean(memory),
        energy=_mean(energy),
        rows_per_second=mean(cost.rows_per_second for cost in costs),
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if len(known) == len(values) else None
