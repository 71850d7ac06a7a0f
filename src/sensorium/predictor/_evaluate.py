"""Evaluate a fitted model on the labelled rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sensorium.errors import ConfigError, SchemaError
from sensorium.evaluate import Evaluation, Names, evaluate_outcome, plan_subsets, requested_metrics, score_classes
from sensorium.findings import Problem, Problems
from sensorium.metrics import default_metrics
from sensorium.model import FittedModel
from sensorium.predictor._regions import Wanted
from sensorium.predictor._scores import evaluate_subsets, presence_of, score_rows, score_rows_with_subsets
from sensorium.predictor._splits import check_labelled, is_fitted_on, rows_of
from sensorium.predictor._tables import open_rows
from sensorium.prepare import at_rows
from sensorium.runtime.progress import Reporter
from sensorium.split import find_seen, row_groups
from sensorium.table import Table
from sensorium.tasks import no_known_label, watched_metric


@dataclass(frozen=True)
class Request:
    """What to compute beside the usual metrics.

    Attributes:
        metrics: names of metrics to compute in their place; empty for the usual ones.
        subsets: whether to score subsets of the modalities.
        per_class: whether to compute metrics of each class.
        coverage: the coverage of prediction sets or intervals to measure; None for none.
    """

    metrics: Sequence[str] = ()
    subsets: bool = False
    per_class: bool = False
    coverage: Wanted | None = None


def evaluate_rows(
    fitted: FittedModel, table: Any, split: str | None, *, request: Request, report: Reporter
) -> Evaluation:
    """Return metrics of the rows of a split, and what else is asked for."""
    names = _metrics_of(fitted, request)
    asked = _subsets_of(fitted) if request.subsets else []
    opened = open_rows(fitted, table, report)
    check_labelled(fitted, opened)
    rows, words = rows_of(fitted, opened, split)
    part, problems = opened.take(rows), Problems()
    if split != "train":
        # The split of a fit holds out test rows. A blend may have learned from the validation rows.
        held_out = words != "validation rows" and is_fitted_on(fitted, opened)
        seen = fitted.seen[:-1] if held_out else fitted.seen
        problems.extend(find_seen(seen, part, fitted.row_cells))
    if asked:
        fewer, there, cells = score_rows_with_subsets(fitted, part, asked, report)
        scores, presence = fewer[-1], presence_of(asked, there)
    else:
        scores, present, cells = score_rows(fitted, part, report)
        presence = fitted.presence(present)
    target = fitted.task.encode(part.column(fitted.target))
    problems.extend([*cells, *target.problems])
    known = np.flatnonzero(target.known)
    if not len(known):
        raise no_known_label(fitted.task, part.column(fitted.target), target, words)
    groups = row_groups(part, fitted.config.split.group)
    problems.extend(_lacking_groups(fitted, part))
    outcome = fitted.task.outcome(scores[known], target.values[known])
    outcome = outcome if groups is None else outcome.grouped(groups[known])
    with report.phase("computing metrics and intervals"):
        scored, less = evaluate_outcome(outcome, names, exactly=bool(request.metrics)), None
        if asked:
            less = evaluate_subsets(fitted, asked, fewer[:, known], there[:, known], outcome)
        wanted, covered = request.coverage, None
        if wanted:
            covered = wanted.measure(fitted, outcome, presence.take(known))
            problems.extend(wanted.problems(fitted, scores[known], presence.take(known)))
        classes = None
        if request.per_class:
            classes = score_classes(outcome, fitted.task.labels, fitted.task.target_labels)
    return replace(
        scored, problems=at_rows(problems, rows), rows=words, subsets=less, classes=classes, coverage=covered
    )


def _metrics_of(fitted: FittedModel, request: Request) -> list[str]:
    """Return the metrics to compute.

    Raises:
        ConfigError: a metric is unknown or does not suit the task, or there are no classes to score.
    """
    task = fitted.task
    if request.per_class and not task.has_classes:
        raise ConfigError("the target has no classes", place="per_class", cure="omit it")
    if request.metrics:
        return requested_metrics(request.metrics, fitted.task_name, task.target_tasks)
    return default_metrics(fitted.task_name, watched_metric(fitted.config.train, task))


def _lacking_groups(fitted: FittedModel, table: Table) -> list[Problem]:
    """Report that a table lacks the column of groups, so that intervals treat its rows as independent."""
    name = fitted.config.split.group
    if name is None or name in table:
        return []
    reason = f"the table has no column {name!r}, which groups the rows: intervals resample rows and may be too narrow"
    return [Problem(None, name, reason, "add the column")]


def _subsets_of(fitted: FittedModel) -> list[Names]:
    towers = fitted.towers
    if len(towers) < 2:
        raise SchemaError(f"the model has one modality only: {towers[0]}", rule="removing modalities needs two or more")
    return plan_subsets(towers)
