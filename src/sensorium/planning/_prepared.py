"""A table whose cells are decoded: models are trained on it without reading a file again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.augment import Augmentations, build_augmentations
from sensorium.config import Config
from sensorium.findings import Problem, Problems
from sensorium.model import FittedModel, feature_readers, frozen_encoders, frozen_in
from sensorium.planning._checks import check_decoded, without_label
from sensorium.planning._plan import Plan, make_plan
from sensorium.planning._teacher import ask_teacher
from sensorium.prepare import Prepared, at_rows, open_store, prepare_columns
from sensorium.prepare.streamed import Streamed
from sensorium.split import SeenRows, add_fit
from sensorium.table import Column, Table

if TYPE_CHECKING:
    from sensorium.metrics import Outcome
    from sensorium.modalities import Modality
    from sensorium.runtime.progress import Reporter

Rows: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PreparedTable:
    """A plan with its cells as arrays; frozen, and shared by every model that is trained on it.

    Attributes:
        plan: what was settled before.
        cells: columns as arrays, for the plan's `used` rows; columns of frozen encoders hold their features.
        frozen: tower → its encoder, for towers whose features were computed beforehand.
        teacher_scores: float64[n, ...] that the teacher gives to each row; None without one.
        problems: labels and cells that could not be used as they are, by row of the table.
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
        """Return those of some rows that have a value in some column."""
        return rows[cells.has_any()[rows]]

    def outcome(self, fitted: FittedModel, split: str) -> Outcome:
        """Let a model predict the rows of a split; the result holds truth and scores."""
        rows = self.rows(split)
        return self.plan.task.outcome(fitted.scores(self.cells.only(fitted.learnt), rows), self.plan.target[rows])

    def augmentations(self, names: Mapping[str, Modality]) -> Augmentations:
        """Build the augmentations of some columns."""
        return build_augmentations(self.plan.augmented, {name: own.encoder_spec() for name, own in names.items()})

    def seen_rows(self, fitted: FittedModel) -> list[SeenRows]:
        """Return hashes of the rows that a model has seen, in this fit and in those before.

        A table that lacks a column of the model adds none.
        """
        plan, cells = self.plan, fitted.row_cells
        before = plan.start.seen if plan.start else ()
        if any(name not in plan.table for name in cells.columns):
            return list(before)
        return add_fit(before, SeenRows.of(plan.table, cells, plan.split.rows("train"), plan.split.rows("test")))

    def all_problems(self) -> Problems:
        """Return the problems, with those of streamed cells that were decoded since."""
        for found in self.cells.columns.values():
            if isinstance(found, Streamed):
                self.problems.extend(at_rows(Problems(found.take_problems()), self.plan.used))
        return self.problems


def prepare_table(plan: Plan, report: Reporter) -> PreparedTable:
    """Decode each row that a plan uses.

    Raises:
        DataError: not one training cell of a column can be read.
    """
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
    """Plan a table and decode it, with nothing checked in between; `models` are those that `make_plan` takes."""
    return prepare_table(make_plan(table, config, report, **models), report)


def continued_with(data: PreparedTable, start: FittedModel, config: Config, report: Reporter) -> PreparedTable:
    """Return the table for a second stage, in which a model that was trained on it is trained further.

    Encoders that are no longer frozen get cells instead of their features.

    Args:
        data: the table as the first stage used it.
        start: the model, which may have other encoders frozen than the plan.
        config: the settings of the second stage.
        report: where progress is shown.
    """
    plan, frozen = data.plan, frozen_in(start.network)
    labels = replace(plan.labels, index_map=list(range(plan.task.outputs)))
    stage = replace(plan, labels=labels, start=start, blueprint=start.blueprint, config=config)
    names = [t.columns[0] for t in plan.blueprint.towers if t.name in data.frozen and t.name not in frozen]
    cells = data.cells
    if names:
        decoded = _read(plan, {name: plan.learnt[name] for name in names}, report)
        cells = Prepared({**cells.columns, **decoded.columns}, cells.problems)
    return replace(data, plan=stage, cells=cells, frozen=frozen)


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
        problems.add(Problem(int(row), "", "the row has no value in any column: not trained on"))
    return problems


def _expected(plan: Plan) -> list[str]:
    """Return columns that have to be readable; a continued model may lack some of its own."""
    rows = plan.used[plan.rows("train")]
    there = [plan.table.column(name).take(rows) for name in plan.learnt if name in plan.table]
    return [column.name for column in there if len(column.values)]
