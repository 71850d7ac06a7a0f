"""Plan what a model learns from a table, before any file is decoded."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sensorium.augment import Chosen, choose_augmentations
from sensorium.config import Config
from sensorium.errors import ConfigError
from sensorium.findings import ColumnPlan, Guess, Problems, count
from sensorium.model import Blueprint, FittedModel, check_buildable, pick_device, plan_model
from sensorium.planning._checks import check_labels
from sensorium.planning._columns import LearnedColumns, learn_columns
from sensorium.planning._schema import Schema, continued_schema, infer_schema
from sensorium.planning._start import inherit_calibration
from sensorium.planning._teacher import check_teacher
from sensorium.prepare import cautions, table_findings, unsaid
from sensorium.schema import split_column
from sensorium.split import SPLITS, Split, make_split, unlabelled_rows
from sensorium.table import Column, Table, as_read
from sensorium.tasks import EncodedTarget, Task, check_labels_of, learn_task
from sensorium.train import check_calibration, check_for_model, check_for_task, unlabelled_learners, with_preset

if TYPE_CHECKING:
    from sensorium.modalities import Modality
    from sensorium.runtime.progress import Reporter

Rows: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Labels:
    """Target of every row, and the task that was fitted on its labels.

    Attributes:
        column: the target's cells, read as labels.
        task_name, guess: registered name of the task, and the reason for it.
        task: the fitted task.
        index_map: index of each logit of the start model among those of the task; empty without a start model.
        encoded: labels in the form that the loss takes, and which of them are known.
    """

    column: Column
    task_name: str
    guess: Guess
    task: Task
    index_map: Sequence[int]
    encoded: EncodedTarget


@dataclass(frozen=True, eq=False)
class Plan:
    """Schema, task, split and network of a fit; immutable, and made before any file is decoded.

    Attributes:
        table: the rows.
        config: the settings, with those that depend on the table (preset, calibration) resolved.
        modules: tower → the user's own module; each model trains a copy.
        device: the device that models are trained on.
        columns: a plan for each column of the table.
        kinds: used column → registered name of its modality.
        learnt: used column → its modality, fitted on the training rows.
        labels: the target and its task.
        split: row → training, validation or test split.
        split_column: the column that names the split; None without one.
        unlabelled: training rows that are used without a label.
        unlabelled_learners: names of the techniques that use them.
        blueprint: the description of the network.
        augmented: column → its augmentations.
        used: rows to decode: those with a split and a usable label, and the unlabelled ones.
        fingerprint: hash of the table.
        findings: problems of whole columns, the split and the target.
        notices: findings and uncertain guesses that the user should read before training.
        start: the model to continue training; None for a new model.
        teacher: the model that knowledge is distilled from; None without one.
    """

    table: Table
    config: Config
    modules: Mapping[str, nn.Module]
    device: torch.device
    columns: Sequence[ColumnPlan]
    kinds: Mapping[str, str]
    learnt: Mapping[str, Modality]
    labels: Labels
    split: Split
    split_column: str | None
    unlabelled: Rows
    unlabelled_learners: Sequence[str]
    blueprint: Blueprint
    augmented: Chosen
    used: Rows
    fingerprint: str
    findings: Problems
    notices: Problems
    start: FittedModel | None = None
    teacher: FittedModel | None = None

    @property
    def task(self) -> Task:
        """The fitted task."""
        return self.labels.task

    @cached_property
    def target(self) -> npt.NDArray[Any]:
        """Return the encoded labels of the decoded rows, [n, ...]."""
        return self.labels.encoded.values[self.used]

    @property
    def metric(self) -> str:
        """The validation metric that selects epochs and models."""
        return self.config.train.metric or self.task.watch

    @property
    def towers(self) -> list[str]:
        """Names of the modalities that are fused."""
        return [tower.name for tower in self.blueprint.towers]

    def rows(self, split: str) -> Rows:
        """Return the positions of a split's rows among the decoded rows."""
        return np.flatnonzero(self.split.codes[self.used] == SPLITS.index(split))


def make_plan(
    table: Table,
    config: Config,
    report: Reporter,
    *,
    modules: Mapping[str, nn.Module] = MappingProxyType({}),
    start: FittedModel | None = None,
    teacher: FittedModel | None = None,
) -> Plan:
    """Infer schema, split, task and network of a table, and check every setting, before any file is decoded.

    Args:
        table: the rows.
        config: the settings; `target` is set.
        report: logs guesses and findings.
        modules: tower → the user's own module.
        start: a model to continue training, whose columns, statistics, task and network are kept.
        teacher: a model to distil knowledge from.

    Raises:
        SchemaError, ConfigError, DataError: the table and the settings do not fit each other.
    """
    assert (teacher is not None) == bool(config.train.teacher), "the caller must load the teacher named in the settings"
    config = as_read(config, table)
    if not config.target:
        raise ConfigError(
            "no target is given: name the column to predict",
            place="target",
            cure=f"--target COLUMN (Python: target=), one of: {', '.join(table.columns)}",
        )
    device = pick_device(config.device)
    start = start and _on_device(start, device)
    schema = continued_schema(table, config, start, report) if start else infer_schema(table, config)
    check_for_task(config, schema.task_name)
    dealt = _deal(schema, config, report)
    config, split = dealt.config, dealt.split
    task, index_map = _learn_task(schema, config, split, start)
    if teacher:
        check_teacher(teacher, task, str(config.train.teacher))
    columns = _learn_columns(schema, config, np.union1d(split.rows("train"), dealt.unlabelled), start)
    blueprint = start.blueprint if start else plan_model(columns.learnt, columns.kinds, config)
    augmented = choose_augmentations(columns.kinds, config)
    check_for_model(
        config,
        blueprint,
        columns.learnt,
        task=(schema.task_name, task),
        modules=modules,
        device=device,
        validation=split.rows("validation"),
    )
    encoded = _encode(task, schema.target, split)
    findings, notices = _findings(schema, columns, split, task, encoded)
    used = np.union1d(np.flatnonzero((split.codes >= 0) & encoded.known), dealt.unlabelled)
    config = _with_calibration(config, start, used, split)
    check_buildable(blueprint, columns.learnt, task, modules)
    return Plan(
        table=schema.table,
        config=config,
        modules=modules,
        device=device,
        columns=columns.plans,
        kinds=columns.kinds,
        learnt=columns.learnt,
        labels=Labels(schema.labels, schema.task_name, schema.task_guess, task, index_map, encoded),
        split=split,
        split_column=dealt.split_column,
        unlabelled=dealt.unlabelled,
        unlabelled_learners=dealt.learners,
        blueprint=blueprint,
        augmented=augmented,
        used=used,
        fingerprint=schema.table.fingerprint(),
        findings=findings,
        notices=notices,
        start=start,
        teacher=teacher,
    )


def log_notices(plan: Plan, report: Reporter) -> None:
    """Log uncertain guesses and what is left out, before the training starts."""
    for note in plan.table.notes:
        report.log(note)
    for notice in plan.notices:
        report.log(notice.sentence())


def _on_device(start: FittedModel, device: torch.device) -> FittedModel:
    """Copy the model to the device; the user's model is not changed."""
    return replace(start, network=copy.deepcopy(start.network).to(device))


def _with_preset(config: Config, rows: int, task: str) -> Config:
    return config.model_copy(update={"train": with_preset(config.train, rows, task)})


def _learn_task(schema: Schema, config: Config, split: Split, start: FittedModel | None) -> tuple[Task, list[int]]:
    rows = split.rows("train")
    if start is not None:
        return start.task.extend(schema.target.take(rows), config.train.class_weight)
    return learn_task(schema.task_name, schema.labels, rows, schema.reading, config), []


@dataclass(frozen=True)
class _Dealt:
    """Rows assigned to splits, and the settings that depend on their number."""

    config: Config
    split: Split
    split_column: str | None
    unlabelled: Rows
    learners: Sequence[str]


def _deal(schema: Schema, config: Config, report: Reporter) -> _Dealt:
    """Split the rows, resolve the preset, and find the rows without a label that a technique learns from."""
    column = split_column(schema.table, config)
    split = make_split(schema.table, schema.labels, config.split, column, config.seed)
    check_calibration(config, len(split.rows("validation")))
    config = _with_preset(config, len(split.rows("train")), schema.task_name)
    learners = unlabelled_learners(config.train)
    if not learners:
        return _Dealt(config, split, column, np.zeros(0, np.int64), learners)
    rows = unlabelled_rows(schema.table, schema.labels, split, config.split, column)
    names = " and ".join(learners)
    if len(rows):
        report.log(f"also used in training: {count(len(rows), 'row')} without a label, by {names}")
    else:
        report.log(f"? every training row has a label: {names} can use labelled rows only")
    return _Dealt(config, split, column, rows, learners)


def _findings(
    schema: Schema, columns: LearnedColumns, split: Split, task: Task, encoded: EncodedTarget
) -> tuple[Problems, Problems]:
    """Return the findings about columns, split and target; and the notices for the user: findings and guesses."""
    name = schema.target.name
    findings = table_findings(schema.table, columns.learnt, split, task, name)
    findings.extend(check_labels_of(task, encoded, split.codes, name))
    guesses = cautions(columns.plans, name, schema.task_name, schema.task_guess)
    said = {plan.name: plan.caution for plan in columns.plans}
    return findings, Problems([*guesses, *unsaid(findings, said)])


def _learn_columns(schema: Schema, config: Config, rows: Rows, start: FittedModel | None) -> LearnedColumns:
    if start is not None:
        return LearnedColumns(schema.columns, schema.kinds, dict(start.learnt))
    return learn_columns(schema, config, rows)


def _encode(task: Task, target: Column, split: Split) -> EncodedTarget:
    """Encode the label of each row; leave out outliers that would disturb training or model selection."""
    learning = np.isin(split.codes, [SPLITS.index("train"), SPLITS.index("validation")])
    encoded = task.without_outliers(task.encode(target), learning)
    check_labels(encoded, np.flatnonzero(split.codes == SPLITS.index("train")), target)
    return encoded


def _with_calibration(config: Config, start: FittedModel | None, used: Rows, split: Split) -> Config:
    """Resolve the setting `calibrate`, by the number of validation rows with a label."""
    rows = int(np.sum(split.codes[used] == SPLITS.index("validation")))
    if start is not None:
        config = inherit_calibration(config, start, rows)
    check_calibration(config, rows)
    return config
