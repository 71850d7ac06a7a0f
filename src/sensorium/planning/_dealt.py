"""Split the rows of a table, and settle the settings that depend on their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sensorium.config import Config, few_label_changes, set_both
from sensorium.findings import count
from sensorium.model import FittedModel
from sensorium.planning._earlier import find_earlier
from sensorium.schema import Schema, split_column, with_inferred_group
from sensorium.split import Split, make_split, unlabelled_rows
from sensorium.table import Rows
from sensorium.train import unlabelled_learners

if TYPE_CHECKING:
    from sensorium.runtime.progress import Reporter


FEW_LABELS = "train.few_labels"  # reported once


@dataclass(frozen=True)
class DealtRows:
    """Rows assigned to splits, and the settings that depend on their number."""

    config: Config
    split: Split
    split_column: str | None
    unlabelled: Rows
    learners: Sequence[str]


def deal_rows(
    schema: Schema,
    config: Config,
    report: Reporter,
    *,
    start: FittedModel | None,
    teacher: FittedModel | None,
    split: Split | None = None,
) -> DealtRows:
    """Split the rows, resolve the defaults for few labels, and find the unlabelled rows from which a technique learns.

    Rows that the start model or the teacher was trained on stay in the training part where possible. The split of a
    fold is given.
    """
    config, of_groups = with_inferred_group(schema.table, schema.labels, config)
    column = split_column(schema.table, config)
    if split is None:
        earlier = find_earlier(schema.table, start, teacher)
        split = make_split(schema.table, schema.labels, config.split, column, config.seed, earlier=earlier)
        split = replace(split, findings=(*split.findings, *of_groups))
    config = _for_few_labels(config, len(split.rows("train")), schema.task_name, report)
    learners = unlabelled_learners(config.train)
    if not learners:
        return DealtRows(config, split, column, np.zeros(0, np.int64), learners)
    rows = unlabelled_rows(schema.table, schema.labels, split, config.split, column)
    names = " and ".join(learners)
    if len(rows):
        report.log(f"also used in training: {count(len(rows), 'row')} without a label, by {names}")
    else:
        report.log(f"? no training row lacks a label: {names} can only learn from the labelled ones")
    return DealtRows(config, split, column, rows, learners)


def _for_few_labels(config: Config, rows: int, task: str, report: Reporter) -> Config:
    """Apply the defaults for few labels, and report what they change."""
    changes = few_label_changes(config.train, rows, task)
    if not changes:
        return config
    shown = " and ".join(f"{key} to {_shown(value)}" for key, value in changes.items())
    reason = f"? {count(rows, 'training row')}: train.few_labels sets {shown}"
    report.log(f"{reason}; to switch it off: {set_both(FEW_LABELS, 'none')}", once=FEW_LABELS)
    return config.model_copy(update={"train": config.train.model_copy(update=changes)})


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, Mapping) else str(value)
