"""Plan of what a model learns from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from sensorium.augment import Chosen
from sensorium.config import Config
from sensorium.findings import ColumnPlan, Problems
from sensorium.model import Blueprint, FittedModel, OwnModules
from sensorium.model.card import PresetRecord
from sensorium.runtime.threads import Threads
from sensorium.split import SPLITS, Split, row_groups
from sensorium.table import Column, Floats, Rows, Table
from sensorium.tasks import EncodedTarget, Task, watched_metric

if TYPE_CHECKING:
    from sensorium.metrics import Outcome
    from sensorium.modalities import Modality


@dataclass(frozen=True)
class Labels:
    """Target of every row, and the task that was fitted on its labels.

    Attributes:
        column: the target's cells, read as labels.
        task_name: registered name of the task.
        task: the fitted task.
        index_map: index of each logit of the start model among those of the task; empty without a start model.
        encoded: labels in the form that the loss takes, and which of them are known.
    """

    column: Column
    task_name: str
    task: Task
    index_map: Sequence[int]
    encoded: EncodedTarget


@dataclass(frozen=True, eq=False)
class Plan:
    """Schema, task, split and network of a fit; immutable, and made before any file is decoded.

    Attributes:
        table: the rows.
        config: the settings, with those that depend on the table; `calibrate` stays as given.
        modules: the user's own modules; each model trains copies.
        device: the device that models are trained on.
        threads: the number of threads of trainings on the CPU.
        cores: the number of cores that default sizes were chosen for.
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
        preset: the preset of the fit, and why it is used; None in a comparison.
    """

    table: Table
    config: Config
    modules: OwnModules
    device: torch.device
    threads: Threads
    cores: int
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
    preset: PresetRecord | None = None

    @property
    def task(self) -> Task:
        """The fitted task."""
        return self.labels.task

    @cached_property
    def target(self) -> npt.NDArray[Any]:
        """Return the encoded labels of the decoded rows, [n, ...]."""
        return self.labels.encoded.values[self.used]

    @cached_property
    def groups(self) -> Rows | None:
        """Return the group of each decoded row (`split.group`), [n]; None if rows are not grouped."""
        groups = row_groups(self.table, self.config.split.group)
        return None if groups is None else groups[self.used]

    @property
    def metric(self) -> str:
        """The validation metric that selects epochs and models."""
        return watched_metric(self.config.train, self.task)

    @property
    def towers(self) -> list[str]:
        """Names of the modalities that are fused."""
        return [tower.name for tower in self.blueprint.towers]

    def rows(self, split: str) -> Rows:
        """Return the positions of a split's rows among the decoded rows."""
        return np.flatnonzero(self.split.codes[self.used] == SPLITS.index(split))

    def with_findings(self, findings: Problems) -> Plan:
        """Return the plan with further findings, which the user should read before training."""
        more = list(findings)
        return replace(self, findings=Problems([*self.findings, *more]), notices=Problems([*self.notices, *more]))

    def outcome(self, scores: Floats, rows: Rows) -> Outcome:
        """Return truth, scores and groups of some decoded rows."""
        return self.task.outcome(scores, self.target[rows]).grouped(None if self.groups is None else self.groups[rows])
