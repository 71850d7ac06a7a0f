"""Detect columns of a new table whose names were swapped, as after an edit of the header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from sensorium.findings import Problem
from sensorium.modalities import Encoded, Modality
from sensorium.prepare.columns import Prepared
from sensorium.table import Table

FAR = 3.0  # training deviations that the mean of a column of numbers may be away from training's
MOST = 8  # columns that are tried with each other
HALF = 0.5  # of the cells
CURE = "if the two names are swapped, rename them"


def swapped_columns(table: Table, learnt: Mapping[str, Modality], prepared: Prepared) -> list[Problem]:
    """Report pairs of columns that fit training only if their names are exchanged."""
    strange = [
        name
        for name, found in prepared.columns.items()
        if name in table and isinstance(found, Encoded) and _is_strange(found, learnt[name], table.column(name).present)
    ]
    if not 2 <= len(strange) <= MOST:
        return []
    return [
        Problem(None, first, f"has the values that column {second!r} had in training, and vice versa", CURE)
        for first, second in combinations(strange, 2)
        if _fits(table, learnt[first], first, second) and _fits(table, learnt[second], second, first)
    ]


def _fits(table: Table, modality: Modality, name: str, other: str) -> bool:
    column = replace(table.column(other), name=name)
    return not _is_strange(modality.encode(column), modality, column.present)


def _is_strange(found: Encoded, modality: Modality, given: npt.NDArray[np.bool_]) -> bool:
    """Return whether most cells cannot be read, are unknown, or are numbers far from those of training."""
    values, code = found.values, modality.unknown()
    if not isinstance(values, np.ndarray) or values.size != len(values):
        return False
    if not given.any() or found.present.sum() < HALF * given.sum():
        return bool(given.any())
    cells = values[found.present].ravel()
    if code is not None:
        return bool(np.mean(cells == code) > HALF)
    return values.dtype.kind == "f" and abs(float(cells.mean(dtype=np.float64))) > FAR
