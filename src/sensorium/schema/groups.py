"""Columns that group rows, such as those of one patient: rows of a group are alike.

In several splits they inflate the test metrics.
"""

from __future__ import annotations

import re

import numpy as np

from sensorium.config import as_yaml, set_value
from sensorium.schema.copies import Sides, value_ids
from sensorium.split import SPLITS
from sensorium.table import Column

UNIT = re.compile(
    r"(patient|subject|participant|person|donor|customer|client|user|student|driver|household|speaker|author|session)"
    r"(_?id)?$",
    re.I,
)


def groups_rows(column: Column) -> bool:
    """Return whether the name suggests that the column identifies a person or thing, and some have several rows."""
    return bool(UNIT.search(column.name)) and 1 < column.distinct < len(column.values)


def count_split_groups(column: Column, sides: Sides) -> int:
    """Count the values that are in several splits."""
    ids = value_ids(column)
    held = np.zeros((int(ids.max()) + 1, len(SPLITS)), bool)
    rows = np.flatnonzero((ids >= 0) & (sides.splits >= 0))
    held[ids[rows], sides.splits[rows]] = True
    return int((held.sum(1) > 1).sum())


def group_reason(column: Column, split_groups: int) -> str:
    """Describe the groups, and how many of them are in several splits."""
    reason = f"{column.name} has {column.distinct:,} different values in {len(column.values):,} rows"
    return reason + (f"; {split_groups:,} of them are in several splits" if split_groups else "")


def group_caution(column: Column) -> str:
    """Return a caution if rows of one group may be in several splits; empty otherwise."""
    if not groups_rows(column):
        return ""
    return (
        f"rows of one {column.name} may be in both training and test; {keep_together(column.name)} keeps them together"
    )


def keep_together(name: str) -> str:
    """Return the setting that puts all rows of a group into one split."""
    return set_value("split.group", as_yaml(name))
