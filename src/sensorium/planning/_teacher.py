"""Scores of a teacher model, for knowledge distillation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sensorium.config import PrepareConfig
from sensorium.errors import ConfigError
from sensorium.model import FittedModel
from sensorium.prepare import open_store, prepare_columns
from sensorium.table import Table
from sensorium.tasks import Task

if TYPE_CHECKING:
    from sensorium.runtime.progress import Reporter

LISTED = 5  # labels in a message
PLACE = "train.teacher"
CHUNK = 4096  # rows prepared at a time: bounds the memory


def ask_teacher(
    teacher: FittedModel, table: Table, task: Task, *, config: PrepareConfig, report: Reporter
) -> npt.NDArray[np.float64]:
    """Return the teacher's scores of all rows, float64[n, classes] in the student's order of labels, or float64[n].

    Teacher and student may read different columns; columns that the table lacks count as missing.
    The decoded rows are read from the cache if there is one; otherwise, they are decoded in chunks.
    """
    table = table.with_views(teacher.views)
    store = None if config.stream else open_store(config, report)
    size = len(table) if store else CHUNK
    parts = [table.take(np.arange(at, min(at + size, len(table)))) for at in range(0, len(table), size)]
    with report.phase("predicting with the teacher"):
        found = [teacher.scores(prepare_columns(part, teacher.learnt, report, store)) for part in parts]
    scores = np.concatenate(found)
    if not task.labels:
        return scores
    places = [teacher.task.labels.index(label) for label in task.labels]
    return scores[:, places]


def check_teacher(teacher: FittedModel, task: Task, path: str) -> None:
    """Check that a teacher has the task and the labels of the student.

    Raises:
        ConfigError: the task or the labels differ.
    """
    if type(teacher.task) is not type(task):
        finding = f"the teacher predicts {teacher.task.describe()}, but the task is {task.describe()}"
        raise ConfigError(finding, place=f"{PLACE}: {path}", rule="the same task")
    unknown = [str(label) for label in task.labels if label not in teacher.task.labels]
    if unknown or len(task.labels) != len(teacher.task.labels):
        added = [str(label) for label in teacher.task.labels if label not in task.labels]
        lists = {"it does not know": unknown, "it also predicts": added}
        parts = [f"{what} {', '.join(labels[:LISTED])}" for what, labels in lists.items() if labels]
        finding = f"the labels of the teacher differ from those of the target: {'; '.join(parts)}"
        rule = "the teacher must have the same labels as the target"
        raise ConfigError(finding, place=f"{PLACE}: {path}", rule=rule)
