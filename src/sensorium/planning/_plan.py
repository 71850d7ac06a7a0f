"""What is to be learned from a table: settled before any file of it is decoded."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
    """The target of every row, and the task that learned its labels.

    Attributes:
        column: the target's cells, read as labels.
        task_name, guess: registered name of the task, and why it is this one.
        task: what it learned of the labels.
        index_map: where each logit of a model that is continued is among those of the task; else empty.
        encoded: labels as the loss takes them, and which are known.
    """

    column: Column
    task_name: str
    guess: Guess
    task: Task
    index_map: Sequence[int]
    encoded: EncodedTarget


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be learned from a table; frozen, and made before any file is decoded.

    Attributes:
        table: the rows.
        config: the settings; what depends on the table (preset, calibration) is settled.
        modules: tower → the user's own module; each model trains a copy.
        device: where models are trained.
        columns: a plan for each column of the table.
        kinds: column that is used → registered name of its modality.
        learnt: column that is used → what its modality learned from the training rows.
        labels: the target and its task.
        split: row → training, validation or test split.
        split_column: the column that names the split, where there is one.
        unlabelled: training rows that are used without a label.
        unlabelled_learners: names of the techniques that use them.
        blueprint: the network.
        augmented: column → its augmentations.
        used: rows that are decoded: those with a split and a label that can be used, and the unlabelled ones.
        fingerprint: of the table.
        findings: what was found in columns, split and target as a whole.
        notices: what a person should read of `findings` and of the guesses, before the work.
        start: the model that is continued; None where a new one is fitted.
        teacher: the model whose predictions are learned from.
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
        """What was learned of the labels."""
        return self.labels.task

    @property
    def target(self) -> npt.NDArray[Any]:
        """Labels of the rows that are decoded, as the loss takes them: [n, ...]."""
        return self.labels.encoded.values[self.used]

    @property
    def metric(self) -> str:
        """The metric on the validation rows that chooses among epochs and models."""
        return self.config.train.metric or self.task.watch

    @property
    def towers(self) -> list[str]:
        """Names of the modalities that are fused."""
        return [tower.name for tower in self.blueprint.towers]

    def rows(self, split: str) -> Rows:
        """Return the positions of a split's rows among those that are decoded."""
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
    """Settle schema, split, task and network of a table, and check every setting, before any file is decoded.

    Args:
        table: the rows.
        config: the settings; `target` is set.
        report: where guesses and findings are logged.
        modules: tower → the user's own module.
        start: a model to continue: columns, what was learned of them, task and network are its own.
        teacher: a model whose predictions are learned from.

    Raises:
        SchemaError, ConfigError, DataError: table and settings do not go together.
    """
    config = as_read(config, table)
    if not config.target:
        raise ConfigError(
            "missing target: name the column to predict",
            place="target",
            cure=f"--target COLUMN (Python: target=), one of: {', '.join(table.columns)}",
        )
    device = pick_device(config.device)
    start = start and _on_device(start, device)
    schema = continued_schema(table, config, start, report) if start else infer_schema(table, config)
    check_for_task(config, schema.task_name)
    split_name = split_column(schema.table, config)
    split = make_split(schema.table, schema.labels, config.split, split_name, config.seed)
    check_calibration(config, len(split.rows("validation")))
    config = _with_preset(config, len(split.rows("train")), schema.task_name)
    task, index_map = _learn_task(schema, config, split, start)
    if teacher:
        check_teacher(teacher, task, str(config.train.teacher))
    learners = unlabelled_learners(config.train)
    unlabelled = _unlabelled(schema, config, split, split_name, report) if learners else np.zeros(0, np.int64)
    columns = _learn_columns(schema, config, np.union1d(split.rows("train"), unlabelled), start)
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
    found = table_findings(schema.table, columns.learnt, split, task, config.target)
    found.extend(check_labels_of(task, encoded, split.codes, schema.target.name))
    guesses = cautions(columns.plans, config.target, schema.task_name, schema.task_guess)
    said = {plan.name: plan.caution for plan in columns.plans}
    used = np.union1d(np.flatnonzero((split.codes >= 0) & encoded.known), unlabelled)
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
        split_column=split_name,
        unlabelled=unlabelled,
        unlabelled_learners=learners,
        blueprint=blueprint,
        augmented=augmented,
        used=used,
        fingerprint=schema.table.fingerprint(),
        findings=found,
        notices=Problems([*guesses, *unsaid(found, said)]),
        start=start,
        teacher=teacher,
    )


def log_notices(plan: Plan, report: Reporter) -> None:
    """Report what was guessed and may be wrong, and what is left out: before the work, so that it can be stopped."""
    for note in plan.table.notes:
        report.log(note)
    for notice in plan.notices:
        report.log(notice.sentence())


def _on_device(start: FittedModel, device: torch.device) -> FittedModel:
    """Copy the network, so that the user's model stays as and where it is."""
    return replace(start, network=copy.deepcopy(start.network).to(device))


def _with_preset(config: Config, rows: int, task: str) -> Config:
    return config.model_copy(update={"train": with_preset(config.train, rows, task)})


def _learn_task(schema: Schema, config: Config, split: Split, start: FittedModel | None) -> tuple[Task, list[int]]:
    rows = split.rows("train")
    if start is not None:
        return start.task.extend(schema.target.take(rows), config.train.class_weight)
    return learn_task(schema.task_name, schema.labels, rows, schema.reading, config), []


def _unlabelled(schema: Schema, config: Config, split: Split, split_name: str | None, report: Reporter) -> Rows:
    """Return the rows without a label that a technique is going to learn from."""
    rows = unlabelled_rows(schema.table, schema.labels, split, config.split, split_name)
    names = " and ".join(unlabelled_learners(config.train))
    if len(rows):
        report.log(f"also used in training: {count(len(rows), 'row')} without a label, by {names}")
    else:
        report.log(f"? every training row has a label: {names} can use labelled rows only")
    return rows


def _learn_columns(schema: Schema, config: Config, rows: Rows, start: FittedModel | None) -> LearnedColumns:
    if start is not None:
        return LearnedColumns(schema.columns, schema.kinds, dict(start.learnt))
    return learn_columns(schema, config, rows)


def _encode(task: Task, target: Column, split: Split) -> EncodedTarget:
    """Encode the label of each row, without outliers that would spoil training or the choice on validation rows."""
    learning = np.isin(split.codes, [SPLITS.index("train"), SPLITS.index("validation")])
    found = task.without_outliers(task.encode(target), learning)
    check_labels(found, np.flatnonzero(split.codes == SPLITS.index("train")), target)
    return found


def _with_calibration(config: Config, start: FittedModel | None, used: Rows, split: Split) -> Config:
    """Settle whether a temperature is chosen, by the validation rows that have a label."""
    rows = int(np.sum(split.codes[used] == SPLITS.index("validation")))
    if start is not None:
        config = inherit_calibration(config, start, rows)
    check_calibration(config, rows)
    return config
