"""Check for labels and columns that a model cannot learn from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from sensorium.config import exclude_column
from sensorium.errors import DataError, SensoriumError, raise_together
from sensorium.findings import Problem, Problems
from sensorium.prepare import Prepared
from sensorium.prepare.streamed import Streamed
from sensorium.table import Column, Rows
from sensorium.tasks import EncodedTarget

SHOWN = 3  # groups of problems in a message
TRIED = 64  # training rows of a streamed column that are read before training starts


def without_label(target: Column, learnt_from: Rows) -> list[Problem]:
    """Return a problem for each row without a label, except rows that are used without one."""
    rows = np.setdiff1d(np.flatnonzero(~target.present), learnt_from)
    return [Problem(int(row), target.name, "no label: the row is not used") for row in rows]


def check_labels(labels: EncodedTarget, train_rows: Rows, target: Column) -> None:
    """Check that a training row has a label that can be used.

    Raises:
        DataError: no training row has one.
    """
    if not labels.known[train_rows].any():
        reasons = _listed(Problems(labels.problems))
        place, cure = f"column {target.name!r}", "choose another task, --task (Python: task=), or correct the labels"
        raise DataError(f"no training label can be used: {reasons}", place=place, cure=cure)


def check_decoded(prepared: Prepared, train_rows: Rows, expected: Collection[str]) -> None:
    """Check that each column has a readable cell in a training row; without one, the column is rejected.

    Raises:
        DataError: no training cell of a column can be read. The error lists all such columns.
    """
    faults: list[SensoriumError] = []
    for name in expected:
        if not _is_readable(prepared, name, train_rows):
            own = Problems([problem for problem in prepared.problems if problem.column == name])
            cure = f"leave the column out: {exclude_column(name)} (Python: exclude=[{name!r}])"
            causes = {group.cure for group in own.groups()}
            if len(causes) == 1 and (cause := causes.pop()):  # one thing is wrong with every cell
                own = Problems([replace(problem, cure="") for problem in own])
                cure = f"{cause}; or {cure}"
            else:
                cure = f"correct the column, or {cure}"
            finding = f"none of the training cells can be read: {_listed(own)}"
            faults.append(DataError(finding, place=f"column {name!r}", cure=cure))
    raise_together(faults)


def _listed(problems: Problems) -> str:
    return "; ".join(str(group) for group in problems.groups()[:SHOWN])


def _is_readable(prepared: Prepared, name: str, rows: Rows) -> bool:
    """Return whether any cell can be read; only the first cells of streamed columns are tried."""
    found = prepared.columns[name]
    if isinstance(found, Streamed):
        found.encode(rows[:TRIED])
    return bool(found.present[rows].any())
