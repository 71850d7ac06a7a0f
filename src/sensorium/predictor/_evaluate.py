"""Evaluate a fitted model on the labelled rows of a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sensorium.errors import SchemaError
from sensorium.evaluate import Evaluation, Names, evaluate_outcome, plan_subsets
from sensorium.evaluate.scored_rows import ScoredRows
from sensorium.findings import Problem, Problems
from sensorium.metrics import metrics_of
from sensorium.model import FittedModel
from sensorium.predictor._scores import evaluate_subsets, score_rows, score_rows_with_subsets
from sensorium.predictor._splits import check_labelled, is_fitted_on, rows_of
from sensorium.predictor._tables import open_rows
from sensorium.prepare import at_rows
from sensorium.runtime.progress import Reporter
from sensorium.split import find_seen, row_groups
from sensorium.table import Table
from sensorium.tasks import no_known_label


def evaluate_rows(fitted: FittedModel, table: Any, split: str | None, *, subsets: bool, report: Reporter) -> Evaluation:
    """Return metrics of the rows of a split, and of subsets of the modalities if asked for."""
    asked = _subsets_of(fitted) if subsets else []
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
        scores = fewer[-1]
    else:
        scores, _, cells = score_rows(fitted, part, report)
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
        scored, less = evaluate_outcome(outcome, metrics_of(fitted.task_name)), None
        if asked:
            less = evaluate_subsets(fitted, asked, fewer[:, known], there[:, known], outcome)
    details = ScoredRows(fitted.task, outcome)
    return replace(scored, problems=at_rows(problems, rows), rows=words, subsets=less, scored=details)


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
