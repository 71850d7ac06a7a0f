"""What a fitted model answers to the rows that another one learns from."""

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

PLACE = "train.teacher"
CHUNK = 4096  # rows prepared at a time: bounds the memory


def ask_teacher(
    teacher: FittedModel, table: Table, task: Task, *, config: PrepareConfig, report: Reporter
) -> npt.NDArray[np.float64]:
    """Its scores of all rows, in the order of the learning task's labels: float64[n, classes], or [n] of an amount.

    A teacher may see other columns than the model that learns from it; cells that it lacks are missing to it.
    Where the settings keep what was decoded, all rows are read from there; else some at a time are held in memory.
    """
    report.log("asking the teacher")
    table = table.with_views(teacher.views)
    store = None if config.stream else open_store(config, report)
    size = len(table) if store else CHUNK
    parts = [table.take(np.arange(at, min(at + size, len(table)))) for at in range(0, len(table), size)]
    scores = np.concatenate([teacher.scores(prepare_columns(part, teacher.learnt, report, store)) for part in parts])
    if not task.labels:
        return scores
    places = [teacher.task.labels.index(label) for label in task.labels]
    return scores[:, places]


def check_teacher(teacher: FittedModel, task: Task, path: str) -> None:
    """Check that a teacher predicts what is to be learned.

    Raises:
        ConfigError: it has another task or other labels.
    """
    if type(teacher.task) is not type(task):
        finding = f"the teacher answers {teacher.task.describe()}, to be learnt is {task.describe()}"
        raise ConfigError(finding, place=f"{PLACE}: {path}", rule="one task")
    missing = [str(label) for label in task.labels if label not in teacher.task.labels]
    if missing or len(task.labels) != len(teacher.task.labels):
        known = ", ".join(map(str, teacher.task.labels))
        rule = f"the same labels; it knows {known}"
        raise ConfigError("the teacher knows other labels", place=f"{PLACE}: {path}", rule=rule)
