"""Fit classical models on the rows of a prepared table."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from sensorium.baselines import Baseline, Job, fit_selected, left_out
from sensorium.planning import PreparedTable, with_cells
from sensorium.prepare.summaries import Summaries, summarize
from sensorium.runtime.profiling import ResourceMeter
from sensorium.runtime.progress import Silent
from sensorium.trials._cost import Cost

if TYPE_CHECKING:
    from sensorium.table import Floats

CPU = torch.device("cpu")


@dataclass(frozen=True)
class FittedBaseline:
    """Classical model that was fitted on the training rows.

    Attributes:
        estimator: the model.
        scores: split → its scores.
        cost: cost of summarizing the columns and fitting the model.
    """

    estimator: Baseline
    scores: dict[str, Floats]
    cost: Cost


def why_left_out(data: PreparedTable, name: str) -> str:
    """Return why a default baseline is skipped (unsuited or too slow); empty if it is fitted."""
    plan = data.plan
    return left_out(name, plan.labels.task_name, _summaries(data)[0], len(data.rows("train")), plan.task.outputs)


def fit_baseline(data: PreparedTable, name: str) -> FittedBaseline:
    """Fit on the training rows, select on the validation rows, and predict validation and test rows."""
    plan, (cells, _) = data.plan, _summaries(data)
    train, validation, test = (data.rows(split) for split in ("train", "validation", "test"))
    job = Job(cells, plan.target, train, plan.task, plan.config.seed, plan.threads.most)
    with ResourceMeter(CPU) as fitting:
        found = fit_selected(name, job, validation)
    assert found.estimator is not None
    start = time.perf_counter()
    scores = found.estimator.scores(plan.task, cells, test)
    answering = time.perf_counter() - start
    cost = _cost(data, found.estimator.parameters, fitting, answering)
    return FittedBaseline(found.estimator, {"validation": found.scores, "test": scores}, cost)


def _cost(data: PreparedTable, parameters: int | None, fitting: ResourceMeter, answering: float) -> Cost:
    cells, made = _summaries(data)
    rows, test = len(data.plan.used), len(data.rows("test"))
    memory = energy = None
    if made.memory is not None and fitting.memory is not None:
        memory = max(made.memory, _megabytes(cells) + fitting.memory)
    if made.energy is not None and fitting.energy is not None:
        energy = made.energy + fitting.energy
    rate = test / (made.seconds * test / rows + answering)
    return Cost(made.seconds + fitting.seconds, parameters, memory, energy, rate)


def _megabytes(cells: Summaries) -> float:
    arrays = [column.values for column in cells.columns.values()]
    return sum(np.asarray(getattr(array, "data", array)).nbytes for array in arrays) / 1e6


@lru_cache(maxsize=1)  # the baselines of one table share the summaries of its columns
def _summaries(data: PreparedTable) -> tuple[Summaries, ResourceMeter]:
    with ResourceMeter(CPU) as meter:
        # A learned reduction of texts tells a classical model less than their words do.
        cells = summarize(with_cells(data, Silent(), pretrained=False).cells)
    return cells, meter


def forget_matrix() -> None:
    """Free the memory of the summaries of the columns."""
    _summaries.cache_clear()
