"""Adapt a fitted model to a table, and record how it changed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sensorium.adaptation._base import Adaptation, Unlabelled
from sensorium.config import check_options
from sensorium.errors import ConfigError, DataError
from sensorium.evaluate.drift import (
    measure_column_shift,
    measure_metric_shift,
    measure_prediction_shift,
    measure_weight_shift,
    sketch_columns,
)
from sensorium.findings import Problem, Problems
from sensorium.model import FittedModel
from sensorium.model.card import AdaptationRecord, ShiftRecord
from sensorium.prepare import Prepared, open_store, prepare_columns
from sensorium.prepare.loader import Loader
from sensorium.registry import adaptations
from sensorium.registry.traits import suited_tasks, suits
from sensorium.runtime.progress import Reporter
from sensorium.split import EarlierRows, new_rows, row_groups, weigh_rows
from sensorium.table import Table
from sensorium.tasks import watched_metric

DEFAULT = "adabn"
DROPPED = Problem(
    None,
    "",
    "the adapted model has no prediction sets or intervals: those of the model before do not hold for its errors",
    "fit --from MODEL on labelled rows (Python: start=model) finds new ones",
)


@dataclass(frozen=True)
class Chosen:
    """A method with its checked options."""

    name: str
    options: Mapping[str, Any]
    method: Adaptation


def adapt_fitted(
    fitted: FittedModel, table: Table, method: str, options: Mapping[str, Any], *, seed: int, report: Reporter
) -> tuple[FittedModel, Problems]:
    """Adapt a copy of the model to all rows of a table; its labels are only used in the report.

    Args:
        fitted: the model; it is not changed.
        table: rows of the new domain.
        method: registered name.
        options: options of the method.
        seed: random seed for the order of rows.
        report: receives the progress.

    Returns:
        The adapted model, whose card has the `shift`, and problems of cells.

    Raises:
        ConfigError: the method or its options are unknown, or do not fit the model.
        DataError: no row has a value in any column.
    """
    chosen = _choose(fitted, method, options)
    table = table.with_views(fitted.views)
    stream = fitted.config.prepare.stream
    store = None if stream else open_store(fitted.config.prepare, report)
    prepared = prepare_columns(table, fitted.learnt, report, store, stream=stream)
    rows = np.flatnonzero(prepared.has_any())
    if not len(rows):
        raise DataError("no row has a value in any of the model's columns", place=table.name)
    loader = Loader(prepared, None, fitted.device)
    domain = Unlabelled(loader, rows, torch.Generator().manual_seed(seed), report)
    adapted, done = _adapted(fitted, chosen.method, domain)
    own = {"method": chosen.name, "options": dict(chosen.options), "table": table.name, "rows": len(rows)}
    how = AdaptationRecord.model_validate({**done, **own})
    with report.phase("measuring the distribution shift"):
        shift = _shift(fitted, adapted, table, prepared)
    problems = Problems([*(problem for problem in table.problems if problem.row is None), *prepared.problems])
    problems.extend([DROPPED] if fitted.conformal else [])
    adapted.conformal = {}
    calibration = fitted.card.calibration and fitted.card.calibration.without_metrics()
    threshold = fitted.card.threshold and fitted.card.threshold.without_metrics()
    card = fitted.card.updated(
        adapted=how, metrics={}, calibration=calibration, conformal=None, threshold=threshold, shift=shift
    )
    adapted.card = card.with_problems(problems)
    return adapted, problems


def _adapted(fitted: FittedModel, method: Adaptation, domain: Unlabelled) -> tuple[FittedModel, Mapping[str, Any]]:
    """Adapt a copy of the model; return it and what the method records. The same parameters stay frozen."""
    adapted = fitted.with_first(network=copy.deepcopy(fitted.network))
    trained = {name for name, parameter in fitted.network.named_parameters() if parameter.requires_grad}
    record = method.adapt(adapted, domain)
    for name, parameter in adapted.network.named_parameters():
        parameter.requires_grad_(name in trained)
    adapted.network.eval()
    return adapted, record


def _choose(fitted: FittedModel, name: str, options: Mapping[str, Any]) -> Chosen:
    if fitted.int8:
        raise ConfigError("a quantized (int8) model cannot be adapted", cure="adapt the model before it was quantized")
    fitted.check_single_network("adapt")
    entry = adaptations.entry(name)
    suited = entry.literal("TASKS")
    if not suits(suited, fitted.task_name):
        rule = f"it supports {', '.join(suited_tasks(suited))}"
        raise ConfigError(f"adaptation {name!r} does not support the task {fitted.task_name}", rule=rule)
    kind = entry.load()
    checked = check_options(kind, options, f"adaptation {name!r}")
    chosen = Chosen(name, checked, kind(**checked))
    chosen.method.check(fitted)
    return chosen


def _shift(before: FittedModel, after: FittedModel, table: Table, prepared: Prepared) -> ShiftRecord:
    rows = np.flatnonzero(prepared.has_any())
    old, new = (fitted.scores(prepared, rows) for fitted in (before, after))
    statistics = sketch_columns(prepared, before.learnt, np.arange(len(prepared)))
    shift = ShiftRecord(
        source=before.card.table,
        missing=[name for name in before.learnt if name not in table],
        columns=measure_column_shift(before.data.statistics, statistics),
        weights=measure_weight_shift(before.network, after.network),
        split="all",
        answers=measure_prediction_shift(before.task, old, new),
    )
    if before.target not in table:
        return shift
    target = before.task.encode(table.column(before.target).take(rows))
    known = np.flatnonzero(target.known)
    if not len(known):
        return shift
    earlier = EarlierRows(weigh_rows(before.seen, table, before.row_cells, rows[known]))
    positions, trained = new_rows(earlier, np.arange(len(known)))
    known = known[positions]
    groups = row_groups(table.take(rows[known]), before.config.split.group)
    outcomes = [before.task.outcome(own[known], target.values[known]).grouped(groups) for own in (old, new)]
    watched = watched_metric(before.config.train, before.task)
    metrics = measure_metric_shift(before.task_name, outcomes[0], outcomes[1], watched)
    return shift.updated(metrics=metrics.updated(trained=trained))
