"""Check that every split has enough labels, for each target."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.errors import SchemaError, SensoriumError, raise_together
from sensorium.findings import Problem, count, shorten
from sensorium.split import SPLITS
from sensorium.table import Column
from sensorium.tasks._base import EncodedTarget, Task

Codes = npt.NDArray[np.int8]

SHOWN = 5  # labels that a message names
FEWEST = 4  # rows with a label, to train and test


def label_findings(task: Task, labels: EncodedTarget, codes: Codes, target: str) -> list[Problem]:
    """Report splits that lack labels.

    Args:
        task: fitted task.
        labels: encoded labels of every row.
        codes: split of every row, -1 for none.
        target: name of the target column.

    Raises:
        SchemaError: one of several targets has too few labels, or none in the training rows.
    """
    parts = task.each(labels)
    faults = [fault for name, (_, part) in parts.items() if (fault := _fault(name, part, codes))]
    raise_together(faults)
    found = [problem for name, (_, part) in parts.items() for problem in _gaps(name, part, codes)]
    of_each = parts or {target: (task, labels)}
    return found + [
        problem for name, (own, part) in of_each.items() for problem in _lone_classes(name, own, part, codes)
    ]


def _fault(name: str, labels: EncodedTarget, codes: Codes) -> SensoriumError | None:
    known, place = labels.known & (codes >= 0), f"column {name!r}"
    if int(known.sum()) < FEWEST:
        finding = f"only {count(int(known.sum()), 'row')} of {len(codes):,} have a usable label"
        return SchemaError(
            finding, place=place, rule="at least four labels to train and test", cure="remove the target"
        )
    if not (known & (codes == 0)).any():
        cure = "use another split, or remove the target"
        return SchemaError("no training row has a usable label", place=place, cure=cure)
    return None


def _gaps(name: str, labels: EncodedTarget, codes: Codes) -> list[Problem]:
    """Report the number of rows with a label, for one of several targets."""
    if labels.known[codes >= 0].all():
        return []
    counts = _counts(labels, codes)
    shown = ", ".join(f"{number:,} {split}" for split, number in counts.items())
    reason = f"{sum(counts.values()):,} of {int((codes >= 0).sum()):,} rows have a label of this target ({shown})"
    lacking = [split for split in SPLITS[1:] if (codes == SPLITS.index(split)).any() and not counts[split]]
    if lacking:
        reason += f"; it is not measured on {' and '.join(lacking)} rows"
    return [Problem(None, name, reason)]


def _lone_classes(name: str, task: Task, labels: EncodedTarget, codes: Codes) -> list[Problem]:
    """Report a split with one class only, for which some metrics are not defined."""
    if not task.labels or labels.values.ndim > 1:
        return []
    found = []
    for place, split in enumerate(SPLITS[1:], 1):
        own: npt.NDArray[Any] = labels.values[labels.known & (codes == place)]
        if len(own) and len(np.unique(own)) == 1:
            rows = f"there is 1 {split} row" if len(own) == 1 else f"all {len(own)} {split} rows have one label"
            reason = f"{rows}: metrics that rank or compare classes are not defined"
            found.append(Problem(None, name, reason, "use another split, such as --set split.stratify=true"))
    return found


def _counts(labels: EncodedTarget, codes: Codes) -> dict[str, int]:
    return {split: int((labels.known & (codes == place)).sum()) for place, split in enumerate(SPLITS)}


def no_known_label(task: Task, column: Column, labels: EncodedTarget, rows: str) -> SchemaError:
    """Return the error for rows without a known label, with the labels found and the known ones.

    Args:
        task: the model's task.
        column: the rows' cells of the target.
        labels: the encoded labels.
        rows: name of these rows.
    """
    place = f"column {column.name!r}, {rows}"
    if not labels.problems:
        return SchemaError("no row has a label, which evaluation needs", place=place)
    found = dict.fromkeys(problem.value for problem in labels.problems)
    cures = [problem.cure for problem in labels.problems if problem.cure]
    finding = f"no row has a label that the model knows; labels found: {_listed(found)}"
    known = f"the labels of the training rows: {_listed(task.labels)}" if task.labels else "numbers"
    return SchemaError(finding, place=place, rule=known, cure=cures[0] if cures else "")


def _listed(labels: Collection[object]) -> str:
    shown = ", ".join(repr(shorten(label)) for label in [*labels][:SHOWN])
    return f"{shown}, …" if len(labels) > SHOWN else shown
