"""Decode the cells of a planned table, once for all models that are trained on it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensorium.augment import Augmentations, build_augmentations
from sensorium.config import Config
from sensorium.findings import Problem, Problems
from sensorium.model import FittedModel, FusionModel, feature_readers, frozen_encoders, frozen_in
from sensorium.planning._checks import check_decoded, without_label
from sensorium.planning._make_plan import make_plan
from sensorium.planning._plan import Plan
from sensorium.planning._teacher import ask_teacher
from sensorium.prepare import Prepared, at_rows, open_store, prepare_columns
from sensorium.prepare.streamed import Streamed
from sensorium.split import SeenRows, add_fit
from sensorium.table import Column, Rows, Table

if TYPE_CHECKING:
    from sensorium.metrics import Outcome
    from sensorium.modalities import Modality
    from sensorium.runtime.progress import Reporter


@dataclass(frozen=True, eq=False)
class PreparedTable:
    """Plan with its cells as arrays; immutable, and shared by all models that are trained on it.

    Attributes:
        plan: schema, task, split and network.
        cells: columns as arrays, for the plan's `used` rows; columns of frozen encoders hold their features.
        frozen: tower → its encoder, for towers with precomputed features.
        teacher_scores: the teacher's scores of the rows, float64[n, ...]; None without a teacher.
        problems: labels and cells that cannot be used, by row of the table.
    """

    plan: Plan
    cells: Prepared
    frozen: Mapping[str, Any]
    teacher_scores: npt.NDArray[np.float64] | None
    problems: Problems

    def rows(self, split: str) -> Rows:
        """Return the positions of a split's rows."""
        return self.plan.rows(split)

    def filled(self, cells: Prepared, rows: Rows) -> Rows:
        """Return those rows that have a value in any column."""
        return rows[cells.has_any()[rows]]

    def outcome(self, fitted: FittedModel, split: str) -> Outcome:
        """Predict the rows of a split, and return truth and scores."""
        rows = self.rows(split)
        with self.reading_features(fitted.networks):
            return self.plan.outcome(fitted.scores(self.cells.only(fitted.learnt), rows), rows)

    @contextmanager
    def reading_features(self, networks: Sequence[FusionModel]) -> Iterator[None]:
        """Make networks read precomputed features of frozen encoders within a `with` block."""
        with ExitStack() as stack:
            for network in networks:
                stack.enter_context(network.reading_features(self.frozen))
            yield

    def augmentations(self, names: Mapping[str, Modality]) -> Augmentations:
        """Build the augmentations of some columns."""
        return build_augmentations(self.plan.augmented, {name: own.encoder_spec() for name, own in names.items()})

    def seen_rows(self, fitted: FittedModel) -> list[SeenRows]:
        """Return hashes of the training rows of this fit, of the fits before it and of the teacher.

        If the table lacks a column of the model, it adds no hashes.
        """
        plan, cells = self.plan, fitted.row_cells
        before = list(plan.start.seen if plan.start else ())
        if plan.teacher and plan.teacher.row_cells == cells:
            before = reduce(add_fit, plan.teacher.seen, before)
        if any(name not in plan.table for name in cells.columns):
            return before
        return add_fit(before, SeenRows.of(plan.table, cells, plan.split.rows("train"), plan.split.rows("test")))

    def all_problems(self) -> Problems:
        """Return all problems, including those of streamed cells that were decoded during training."""
        for found in self.cells.columns.values():
            if isinstance(found, Streamed):
                self.problems.extend(at_rows(Problems(found.take_problems()), self.plan.used))
        return self.problems


def prepare_table(plan: Plan, report: Reporter) -> PreparedTable:
    """Decode the rows that a plan uses.

    Raises:
        DataError: none of the training cells of a column can be read.
    """
    with report.phase("loading the encoders"):
        frozen = _frozen(plan)
    features = feature_readers(plan.learnt, plan.blueprint, frozen, plan.device)
    cells = _read(plan, {**plan.learnt, **features}, report)
    problems = _problems(plan, cells)
    check_decoded(cells, plan.rows("train"), _expected(plan))
    scores = None
    if plan.teacher:
        rows = plan.table.take(plan.used)
        scores = ask_teacher(plan.teacher, rows, plan.task, config=plan.config.prepare, report=report)
    return PreparedTable(plan, cells, frozen, scores, problems)


def plan_and_prepare(table: Table, config: Config, report: Reporter, **models: Any) -> PreparedTable:
    """Plan a table and decode it; `models` are passed to `make_plan`."""
    return prepare_table(make_plan(table, config, report, **models), report)


def continued_with(data: PreparedTable, start: FittedModel, config: Config, report: Reporter) -> PreparedTable:
    """Prepare the table for a second stage, in which a model that was trained on it is fine-tuned.

    Encoders that are unfrozen get cells instead of precomputed features.

    Args:
        data: the prepared table of the first stage.
        start: the model, whose frozen encoders may differ from those of the plan.
        config: the settings of the second stage.
        report: logs progress.
    """
    plan, frozen = data.plan, frozen_in(start.network)
    labels = replace(plan.labels, index_map=list(range(plan.task.outputs)))
    stage = replace(plan, labels=labels, start=start, blueprint=start.blueprint, config=config)
    cells = _decoded(data, report, kept=frozen)
    return replace(data, plan=stage, cells=cells, frozen=frozen)


def with_cells(data: PreparedTable, report: Reporter, *, pretrained: bool = True) -> PreparedTable:
    """Return the table with the cells of frozen encoders instead of their features.

    Args:
        data: the table.
        report: logs progress.
        pretrained: also those of pretrained encoders; otherwise, only of encoders that learned their features here.
    """
    kept = {} if pretrained else {name: own for name, own in data.frozen.items() if not hasattr(own, "learn_features")}
    return replace(data, cells=_decoded(data, report, kept), frozen=kept) if kept != data.frozen else data


def _decoded(data: PreparedTable, report: Reporter, kept: Container[str] = ()) -> Prepared:
    """Return the columns, with cells instead of features, except for the towers in `kept`."""
    towers = [tower for tower in data.plan.blueprint.towers if tower.name in data.frozen and tower.name not in kept]
    if not towers:
        return data.cells
    names = [tower.columns[0] for tower in towers]
    return data.cells.replaced(_read(data.plan, {name: data.plan.learnt[name] for name in names}, report).columns)


def _frozen(plan: Plan) -> dict[str, Any]:
    if plan.start is not None:
        return {name: encoder.to(plan.device).eval() for name, encoder in frozen_in(plan.start.network).items()}
    train = plan.split.rows("train")

    def training_cells(name: str) -> Column:
        return plan.table.column(name).take(train)

    return frozen_encoders(plan.blueprint, plan.learnt, training_cells, plan.device)


def _read(plan: Plan, readers: Mapping[str, Modality], report: Reporter) -> Prepared:
    stream = plan.config.prepare.stream
    store = None if stream else open_store(plan.config.prepare, report)
    return prepare_columns(plan.table.take(plan.used), readers, report, store, stream=stream)


def _problems(plan: Plan, cells: Prepared) -> Problems:
    encoded = plan.labels.encoded
    said = {problem.row for problem in encoded.problems}  # a problem with a label says why the row is not used
    unused = [problem for problem in without_label(plan.labels.column, plan.unlabelled) if problem.row not in said]
    own = at_rows(cells.problems.of_cells(), plan.used)  # those of whole columns are among the findings
    problems = Problems([*plan.findings, *encoded.problems, *unused, *own])
    for row in plan.used[~cells.has_any()]:
        problems.add(Problem(int(row), "", "the row has no value in any column and cannot be used for training"))
    return problems


def _expected(plan: Plan) -> list[str]:
    """Return the columns that must be readable; a model that is continued may lack some of its columns."""
    rows = plan.used[plan.rows("train")]
    there = [plan.table.column(name).take(rows) for name in plan.learnt if name in plan.table]
    return [column.name for column in there if len(column.values)]
