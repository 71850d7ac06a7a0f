"""Fit classical models on the rows of a prepared table."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from sensorium.baselines import Columns, Job, flatten_columns, left_out, make_baseline, not_installed
from sensorium.planning import PreparedTable
from sensorium.runtime.profiling import ResourceMeter
from sensorium.trials._cost import Cost

if TYPE_CHECKING:
    from sensorium.table import Floats

CPU = torch.device("cpu")


def why_left_out(data: PreparedTable, name: str) -> str:
    """Return why a default baseline is skipped (too slow, not installed); empty if it is fitted."""
    if reason := not_installed():
        return reason
    plan = data.plan
    shape = len(data.rows("train")), _matrix(data)[0].values.shape[1]
    return left_out(name, plan.labels.task_name, shape, plan.task.outputs)


def fit_baseline(data: PreparedTable, name: str) -> tuple[dict[str, Floats], Cost]:
    """Fit on the training rows, select on the validation rows, and predict validation and test rows.

    Returns:
        Split → scores, and the cost of building the feature matrix and fitting the model.
    """
    plan, (columns, _) = data.plan, _matrix(data)
    train, validation, test = (data.rows(split) for split in ("train", "validation", "test"))
    job = Job(columns, plan.target, train, validation, plan.task, plan.config.seed)
    with ResourceMeter(CPU) as fitting:
        model = make_baseline(name, job)
        model.fit()
    start = time.perf_counter()
    scores = model.scores(test)
    answering = time.perf_counter() - start
    cost = _cost(data, model.parameters, fitting, answering)
    return {"validation": model.scores(validation), "test": scores}, cost


def _cost(data: PreparedTable, parameters: int | None, fitting: ResourceMeter, answering: float) -> Cost:
    columns, made = _matrix(data)
    rows, test = len(data.plan.used), len(data.rows("test"))
    memory = energy = None
    if made.memory is not None and fitting.memory is not None:
        memory = max(made.memory, columns.values.nbytes / 1e6 + fitting.memory)
    if made.energy is not None and fitting.energy is not None:
        energy = made.energy + fitting.energy
    rate = test / (made.seconds * test / rows + answering)
    return Cost(made.seconds + fitting.seconds, parameters, memory, energy, rate)


@lru_cache(maxsize=1)  # the baselines of one table share the matrix of all columns
def _matrix(data: PreparedTable) -> tuple[Columns, ResourceMeter]:
    with ResourceMeter(CPU) as meter:
        columns = flatten_columns(data.cells, data.rows("train"), data.plan.config.seed)
    return columns, meter


def forget_matrix() -> None:
    """Free the memory of the feature matrix."""
    _matrix.cache_clear()
