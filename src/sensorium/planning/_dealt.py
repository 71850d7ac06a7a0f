"""Split the rows of a table, and settle the settings that depend on their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensorium.config import Config
from sensorium.findings import count
from sensorium.model import FittedModel
from sensorium.planning._earlier import find_earlier
from sensorium.schema import Schema, split_column
from sensorium.split import Split, make_split, unlabelled_rows
from sensorium.table import Rows
from sensorium.train import check_calibration, unlabelled_learners, with_preset

if TYPE_CHECKING:
    from sensorium.runtime.progress import Reporter


def _with_preset(config: Config, rows: int, task: str) -> Config:
    return config.model_copy(update={"train": with_preset(config.train, rows, task)})


@dataclass(frozen=True)
class DealtRows:
    """Rows assigned to splits, and the settings that depend on their number."""

    config: Config
    split: Split
    split_column: str | None
    unlabelled: Rows
    learners: Sequence[str]


def deal_rows(
    schema: Schema, config: Config, report: Reporter, *, start: FittedModel | None, teacher: FittedModel | None
) -> DealtRows:
    """Split the rows, resolve the preset, and find the unlabelled rows from which a technique learns.

    Rows that the start model or the teacher was trained on stay in the training part where possible.
    """
    column = split_column(schema.table, config)
    earlier = find_earlier(schema.table, start, teacher)
    split = make_split(schema.table, schema.labels, config.split, column, config.seed, earlier=earlier)
    check_calibration(config, len(split.rows("validation")))
    config = _with_preset(config, len(split.rows("train")), schema.task_name)
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
