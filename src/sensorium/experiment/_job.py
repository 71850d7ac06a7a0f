"""A table with its schema, split, task and arrays: all that is done once, before any model is trained."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sensorium.augment import choose_augmentations
from sensorium.config import Config
from sensorium.encoders import Pretrained, Static
from sensorium.errors import ConfigError, SchemaError
from sensorium.experiment._checks import (
    check_calibration,
    check_decoded,
    check_labels,
    check_train_settings,
    check_unfreeze,
    unlabelled,
)
from sensorium.experiment._start import check_own, continued_plans, frozen_of, inherit_calibration
from sensorium.experiment._teacher import ask_teacher, find_teacher
from sensorium.findings import ColumnPlan, Guess, Problem, Problems, count
from sensorium.labels import read_labels
from sensorium.metrics import metrics_of
from sensorium.modalities import Modality
from sensorium.model import (
    FittedModel,
    build_encoder,
    build_network,
    can_calibrate,
    check_buildable,
    feature_readers,
    learn_features,
    pick_device,
    plan_model,
    preferred_modality_options,
)
from sensorium.prepare import (
    Prepared,
    at_rows,
    cautions,
    learn_modality,
    open_store,
    prepare_columns,
    table_findings,
    unsaid,
)
from sensorium.registry import encoders
from sensorium.runtime.progress import Reporter
from sensorium.schema import add_hints, infer_columns, split_column, views_of
from sensorium.split import SPLITS, make_split, unlabelled_rows
from sensorium.table import Column, Table, as_read
from sensorium.tasks import EncodedTarget, Task, check_labels_of, infer_task, learn_task
from sensorium.techniques import check_techniques, learn_from_unlabelled
from sensorium.train import (
    check_device,
    check_freeze,
    check_soup,
    covered,
    with_preset,
)

Rows: TypeAlias = npt.NDArray[np.int64]


@dataclass
class Job:
    """A table with its schema, split, task and arrays.

    Args:
        table: the rows.
        config: the settings; `target` is set.
        report: where progress is told.
        modules: tower → the user's own module; each model trains a copy.
        start: a model to continue: columns, what was learnt of them, task and network are its own.
        checks: called with the job when all is planned and no cell is decoded yet; they raise what it can't be used
            for.

    Raises:
        SchemaError, ConfigError, DataError: the table and the settings don't make a job.
    """

    table: Table
    config: Config
    report: Reporter
    modules: Mapping[str, nn.Module] = field(default_factory=dict)
    start: FittedModel | None = None
    checks: Sequence[Callable[[Any], None]] = ()

    def __post_init__(self) -> None:
        self.config = as_read(self.config, self.table)
        if not self.config.target:
            raise ConfigError(
                "no target", rule="the column to predict", cure=f"one of: {', '.join(self.table.columns)}"
            )
        target = self.table.column(self.config.target)
        self.device = pick_device(self.config.device)
        (self._plan_anew if self.start is None else self._continue)(target)
        check_train_settings(self.config, self.task_name)
        labels = self.reading.apply(target)
        self.split_column = split_column(self.table, self.config)
        self.split = make_split(self.table, labels, self.config.split, self.split_column, self.config.seed)
        check_calibration(self.config, len(self.split.rows("validation")))
        train_rows = self.split.rows("train")
        preset = with_preset(self.config.train, len(train_rows), self.task_name)
        self.config = self.config.model_copy(update={"train": preset})
        self.task, self.kept = self._learn_task(target, labels, train_rows)
        teacher = self.config.train.teacher
        self._teacher = find_teacher(teacher, self.task, self.device) if teacher else None
        self.unlabelled = self._unlabelled(labels)
        learnt_from = np.union1d(train_rows, self.unlabelled)
        self.learnt = dict(self.start.learnt) if self.start else self._learn(learnt_from)
        self.blueprint = self.start.blueprint if self.start else plan_model(self.learnt, self.kinds, self.config)
        check_device(self.config.train, self.device)
        self.augmented = choose_augmentations(self.kinds, self.config)
        check_techniques(self.config.train, self.task_name, len(self.blueprint.towers))
        self._check_stages()
        self.fingerprint = self.table.fingerprint()
        self.cautions = cautions(self.plans, self.config.target, self.task_name, self.task_guess)
        self.findings = table_findings(self.table, self.learnt, self.split, self.task, self.config.target)
        encoded = self._encode(target)
        self.findings.extend(check_labels_of(self.task, encoded, self.split.codes, target.name))
        said = {plan.name: plan.caution for plan in self.plans}
        self.notices = Problems([*self.cautions, *unsaid(self.findings, said)])
        self.used = np.union1d(np.flatnonzero((self.split.codes >= 0) & encoded.known), self.unlabelled)
        self.target = encoded.values[self.used]
        self._settle_calibration(len(self.rows("validation")))
        check_buildable(self.blueprint, self.learnt, self.task, self.modules)
        for check in self.checks:
            check(self)
        self._say_guesses()
        self._prepare(labels, encoded)

    def _unlabelled(self, target: Column) -> Rows:
        """Rows of the table without a label that something is going to learn from; none where nothing does."""
        self.learners = learn_from_unlabelled(self.config.train)
        if not self.learners:
            return np.zeros(0, np.int64)
        rows = unlabelled_rows(self.table, target, self.split, self.config.split, self.split_column)
        names = " and ".join(self.learners)
        if len(rows):
            self.report.log(f"{count(len(rows), 'row')} without a label, learnt from by {names}")
        else:
            self.report.log(f"? no training row is without a label: {names} can use the labelled ones only")
        return rows

    def _plan_anew(self, target: Column) -> None:
        labels, self.reading = read_labels(target, self.config)
        plans = infer_columns(self.table, self.config)
        self.table = self.table.with_views(views_of(plans))
        self.plans = add_hints(self.table.with_column(labels), plans, self.config)
        self.task_name, self.task_guess = infer_task(labels, self.config, self.reading)
        self.kinds: dict[str, str] = {}

    def _continue(self, target: Column) -> None:
        assert self.start
        check_own(self.config, self.start)
        own = copy.deepcopy(self.start.network).to(self.device)  # the user's model stays as and where it is
        self.start = replace(self.start, network=own)
        self.reading = self.start.task.reading
        plans = continued_plans(self.table, self.config, self.start)
        self.table = self.table.with_views(views_of(plans))
        self.plans = add_hints(self.table.with_column(self.reading.apply(target)), plans, self.config)
        self.task_name, self.task_guess = self.start.task_name, Guess(1.0, "of the model that is continued")
        self.kinds = dict(self.start.kinds)
        missing = [name for name in self.kinds if name not in self.table]
        if missing:
            self.report.log(f"? {', '.join(missing)}: the table lacks what the model has: it goes on without")

    def _learn_task(self, target: Column, labels: Column, rows: Rows) -> tuple[Task, list[int]]:
        """The task, and where each logit of a continued model is among its own."""
        if self.start is not None:
            return self.start.task.extend(target.take(rows), self.config.train.class_weight)
        return learn_task(self.task_name, labels, rows, self.reading, self.config), []

    def _check_stages(self) -> None:
        """What training is to freeze and to unfreeze is there; told before the work."""
        train, rows = self.config.train, self.split.rows("validation")
        check_soup(train, rows)
        held: dict[str, bool] = {}
        if train.freeze:
            with torch.random.fork_rng():
                network = build_network(self.blueprint, self.learnt, self.task, copy.deepcopy(dict(self.modules)))
            check_freeze(network, train.freeze)
            held = covered(network, train.freeze)
        if train.unfreeze:
            check_unfreeze(self.blueprint, held, len(rows))

    def _learn(self, train_rows: Rows) -> dict[str, Modality]:
        """Modalities of the columns that have a value in the training rows; the others are left out, and said so."""
        learnt: dict[str, Modality] = {}
        for place, plan in enumerate(self.plans):
            if plan.modality is None:
                continue
            column = self.table.column(plan.name).take(train_rows)
            if len(column.values):
                preferred_options = preferred_modality_options(plan.name, plan.modality, self.config)
                learnt[plan.name] = learn_modality(plan, column, self.config, preferred_options)
                self.kinds[plan.name] = plan.modality
            else:
                reason = "no training row has a value"
                self.plans[place] = ColumnPlan(plan.name, None, reason, "there is nothing to learn from")
        if not learnt:
            raise SchemaError("no column has a value in the training rows", place=self.table.name)
        return learnt

    def _encode(self, target: Column) -> EncodedTarget:
        """The labels of every row, without those that would spoil training or the choice on validation rows."""
        learning = np.isin(self.split.codes, [SPLITS.index("train"), SPLITS.index("validation")])
        found = self.task.without_outliers(self.task.encode(target), learning)
        check_labels(found, np.flatnonzero(self.split.codes == SPLITS.index("train")), target)
        return found

    def _prepare(self, labels: Column, encoded: EncodedTarget) -> None:
        """Encode every row that has a split and a label that can be used, and those that are learnt from without."""
        self.frozen = self._frozen_encoders()
        features = feature_readers(self.learnt, self.blueprint, self.frozen, self.device)
        self.prepared = self._read(self.learnt | features)
        said = {problem.row for problem in encoded.problems}  # what is wrong with a label says why it is not used
        unused = [problem for problem in unlabelled(labels, self.unlabelled) if problem.row not in said]
        cells = at_rows(self.prepared.problems.of_cells(), self.used)  # those of columns are among the findings
        self.problems = Problems([*self.findings, *encoded.problems, *unused, *cells])
        for row in self.used[~self.prepared.has_any()]:
            self.problems.add(Problem(int(row), "", "the row has no value in any column: not trained on"))
        check_decoded(self.prepared, self.rows("train"), self._expected())

    def _settle_calibration(self, rows: int) -> None:
        """There are validation rows to choose a temperature by; told before cells are decoded."""
        if self.start is not None:
            self.config = inherit_calibration(self.config, self.start, rows)
        check_calibration(self.config, rows)

    @cached_property
    def _teacher_scores(self) -> npt.NDArray[np.float64] | None:
        """What the teacher says of every prepared row: asked once for all models of the table."""
        if not self._teacher:
            return None
        rows, config = self.table.take(self.used), self.config.prepare
        return ask_teacher(self._teacher, rows, self.task, config=config, report=self.report)

    def _read(self, readers: Mapping[str, Modality]) -> Prepared:
        stream = self.config.prepare.stream
        store = None if stream else open_store(self.config.prepare, self.report)
        return prepare_columns(self.table.take(self.used), readers, self.report, store, stream=stream)

    def _expected(self) -> list[str]:
        """Columns that have to be readable; a model may be continued without some of its own."""
        rows = self.used[self.rows("train")]
        there = [self.table.column(name).take(rows) for name in self.learnt if name in self.table]
        return [column.name for column in there if len(column.values)]

    def _frozen_encoders(self) -> dict[str, Any]:
        """Tower → an encoder whose features don't change in training: all models of the table share them."""
        if self.start is not None:
            return {name: encoder.to(self.device).eval() for name, encoder in frozen_of(self.start).items()}
        found = {}
        for tower in self.blueprint.towers:
            if hasattr(encoders.load(tower.encoder), "from_features"):
                encoder = build_encoder(tower, {name: self.learnt[name].encoder_spec() for name in tower.columns}, {})
                if encoder.frozen:
                    self._make_ready(encoder, tower.columns[0])
                    found[tower.name] = encoder.to(self.device).eval()
        return found

    def _make_ready(self, encoder: Pretrained | Static, name: str) -> None:
        """Give an encoder of a column what it knows: from elsewhere, or from the training rows."""
        if isinstance(encoder, Static):
            learn_features(encoder, self.learnt[name], self.table.column(name).take(self.split.rows("train")))
        else:
            encoder.load_pretrained()

    def _say_guesses(self) -> None:
        """What was guessed and may be wrong, and what is left out: before the work, so that one can stop it."""
        for note in self.table.notes:
            self.report.log(note)
        for told in self.notices:
            self.report.log(told.sentence())

    @property
    def can_calibrate(self) -> bool:
        """Has the task probabilities that a temperature scales?"""
        return can_calibrate(metrics_of(self.task_name))

    def rows(self, split: str) -> Rows:
        """Places of a split's rows among the prepared ones."""
        return np.flatnonzero(self.split.codes[self.used] == SPLITS.index(split))
