"""Evaluate a fitted model on the labelled rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sensorium.conformal import Presence
from sensorium.errors import ConfigError, SchemaError
from sensorium.evaluate import (
    Evaluation,
    Names,
    UnitCount,
    Units,
    evaluate_outcome,
    plan_subsets,
    requested_metrics,
    score_classes,
    unit_groups,
    unit_labels,
)
from sensorium.evaluate.scored_rows import ScoredRows
from sensorium.evaluate.slices import PRESENT
from sensorium.findings import Problem, Problems
from sensorium.metrics import default_metrics
from sensorium.model import FittedModel
from sensorium.predictor._regions import CoverageRequest
from sensorium.predictor._scores import OnChunk, evaluate_subsets, presence_of, score_rows, score_rows_with_subsets
from sensorium.predictor._slices import CutRows, SliceRequest, TowerFeatures, evaluate_slices
from sensorium.predictor._splits import check_labelled, is_fitted_on, rows_of
from sensorium.predictor._tables import open_rows
from sensorium.predictor._units import named_columns, units_of
from sensorium.prepare import at_rows
from sensorium.runtime.progress import Reporter
from sensorium.split import find_seen, row_groups
from sensorium.table import Floats, Rows, Table, Truths
from sensorium.tasks import EncodedTarget, no_known_label, targets_of, watched_metric


@dataclass(frozen=True)
class EvaluationRequest:
    """What to compute beside the metrics of the rows.

    Attributes:
        metrics: names of metrics to compute in place of the usual ones; empty for these.
        per_class: whether to compute metrics of each class.
        subsets: whether to score subsets of the modalities.
        slices: slices to score.
        by: column whose values name the units that get one prediction each; None to score rows.
        coverage: the coverage of prediction sets or intervals to measure; None for none.
    """

    metrics: Sequence[str] = ()
    per_class: bool = False
    subsets: bool = False
    slices: SliceRequest = field(default_factory=SliceRequest)
    by: str | None = None
    coverage: CoverageRequest | None = None

    @property
    def columns(self) -> list[str]:
        """Columns of the table that are read beside those of the model; `present` may be none."""
        return [*dict.fromkeys([*self.slices.names, *([self.by] if self.by else [])])]


@dataclass(frozen=True, eq=False)
class _Scored:
    """Scores of n rows (or units) with each of s subsets of the modalities, the last of which is all of them.

    Attributes:
        scores: float64[s, n, ...].
        present: bool[s, n], whether the row has a modality of the subset.
        presence: the modalities that each row has.
        target: labels.
        groups: int64[n] group of each row; None if rows are independent.
    """

    scores: Floats
    present: Truths
    presence: Presence
    target: EncodedTarget
    groups: Rows | None

    def of_units(self, units: Units, fitted: FittedModel) -> _Scored:
        """Return the mean scores, labels and groups of units."""
        pairs = zip(self.scores, self.present, strict=True)
        return _Scored(
            np.stack([units.mean(scores, there) for scores, there in pairs]),
            np.stack([units.any(there) for there in self.present]),
            replace(self.presence, there=np.stack([units.any(there) for there in self.presence.there.T], 1)),
            unit_labels(self.target, units, fitted.target, several=bool(fitted.task.targets)),
            unit_groups(units, self.groups),
        )


@dataclass(frozen=True)
class _Asked:
    """What a request means for a model: names of metrics, and subsets of its modalities."""

    request: EvaluationRequest
    metrics: list[str]
    subsets: list[Names]

    @classmethod
    def of(cls, fitted: FittedModel, request: EvaluationRequest) -> _Asked:
        """Check a request before rows are read.

        Raises:
            ConfigError: a metric is unknown or does not suit the task, or there are no classes to score.
            SchemaError: subsets of a single modality.
        """
        task = fitted.task
        if request.per_class and not task.has_classes:
            raise ConfigError("the target has no classes", place="per_class", cure="omit it")
        if request.metrics:
            names = requested_metrics(request.metrics, fitted.task_name, task.target_tasks)
        else:
            names = default_metrics(fitted.task_name, watched_metric(fitted.config.train, task))
        return cls(request, names, _subsets_of(fitted) if request.subsets else [])


def evaluate_rows(
    fitted: FittedModel, table: Any, split: str | None, *, request: EvaluationRequest, report: Reporter
) -> Evaluation:
    """Return metrics of the rows of a split, and what else is requested."""
    asked = _Asked.of(fitted, request)
    opened = open_rows(fitted, table, report, keep=[name for name in request.columns if name != PRESENT])
    check_labelled(fitted, opened)
    rows, words = rows_of(fitted, opened, split)
    part = opened.take(rows)
    problems = Problems(_seen_rows(fitted, opened, part, (split, words)))
    features = TowerFeatures.of(fitted, wanted=request.slices.search)
    scored = _score(fitted, part, asked.subsets, problems, report, features)
    if not scored.target.known.any():
        raise no_known_label(fitted.task, part.column(fitted.target), scored.target, words)
    problems.extend([*scored.target.problems, *_lacking_groups(fitted, part)])
    columns = {name: column.take(rows) for name, column in named_columns(opened, request.columns).items()}
    units = units_of(columns, request.by, fitted) if request.by else None
    if units is not None:
        scored = scored.of_units(units, fitted)
        problems.extend([*units.problems(), *scored.target.problems])
    cuts = CutRows.of(fitted, part, rows, request.slices, columns, scored.presence.by_modality, features, units)
    problems.extend(cuts.problems)
    if request.coverage:
        problems.extend(request.coverage.problems(fitted, scored.scores[-1], scored.presence))
    found = _evaluation(fitted, scored, asked, cuts, report)
    by = None if units is None else UnitCount(units.column, len(rows))
    return replace(found, problems=at_rows(problems, rows), rows=words, by=by)


def _evaluation(fitted: FittedModel, scored: _Scored, asked: _Asked, cuts: CutRows, report: Reporter) -> Evaluation:
    """Compute the metrics of everything that was scored."""
    known, request = np.flatnonzero(scored.target.known), asked.request
    outcome = fitted.task.outcome(scored.scores[-1][known], scored.target.values[known])
    outcome = outcome if scored.groups is None else outcome.grouped(scored.groups[known])
    less, classes, slices, covered = None, None, None, None
    with report.phase("computing metrics and intervals"):
        found = evaluate_outcome(outcome, asked.metrics, exactly=bool(request.metrics))
        if asked.subsets:
            less = evaluate_subsets(fitted, asked.subsets, scored.scores[:, known], scored.present[:, known], outcome)
        if request.per_class:
            labels = {name: part.labels for name, part in targets_of(fitted.task).items()}
            classes = score_classes(outcome, fitted.task.labels, labels)
        if request.coverage:
            covered = request.coverage.measure(fitted, outcome, scored.presence.take(known))
    if cuts:
        with report.phase("computing metrics of slices"):
            slices = evaluate_slices(fitted, outcome, cuts.take(known))
    details = ScoredRows(fitted.task, outcome)
    return replace(found, subsets=less, classes=classes, slices=slices, coverage=covered, scored=details)


def _score(
    fitted: FittedModel, part: Table, subsets: list[Names], problems: Problems, report: Reporter, on_chunk: OnChunk
) -> _Scored:
    """Score rows with all modalities, and with subsets of them if there are some; collect the problems of cells."""
    if subsets:
        scores, present, cells = score_rows_with_subsets(fitted, part, subsets, report, on_chunk)
        presence = presence_of(subsets, present)
    else:
        whole, columns, cells = score_rows(fitted, part, report, on_chunk)
        presence = fitted.presence(columns)
        scores, present = whole[None], np.asarray(presence.there.any(1))[None]
    problems.extend(cells)
    target = fitted.task.encode(part.column(fitted.target))
    return _Scored(scores, present, presence, target, row_groups(part, fitted.config.split.group))


def _seen_rows(fitted: FittedModel, opened: Table, part: Table, split: tuple[str | None, str]) -> list[Problem]:
    """Report rows that the model learned from; `split` is the requested one, and the rows in words."""
    name, words = split
    if name == "train":
        return []
    # The split of a fit holds out test rows. A blend may have learned from the validation rows.
    held_out = words != "validation rows" and is_fitted_on(fitted, opened)
    return [*find_seen(fitted.seen[:-1] if held_out else fitted.seen, part, fitted.row_cells)]


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
