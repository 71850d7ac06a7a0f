"""Report columns that a table lacks, or whose cells cannot be read."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from sensorium.errors import near_name
from sensorium.findings import Problem
from sensorium.modalities import Modality
from sensorium.table import Column, Table

COMPARED = 20  # absent columns whose names are compared with those of all other columns


def absent_columns(table: Table, learnt: Mapping[str, Modality]) -> list[Problem]:
    """Report columns that the table lacks, or lacks parts of, with a similar name that the table has."""
    problems, absent = list[Problem](), 0
    others = [other for other in table.columns if other not in learnt]
    for name in learnt:
        if name not in table:
            absent += 1
            near = near_name(name, others) if absent <= COMPARED else None
            rename = f"table.rename(columns={{{near!r}: {name!r}}})"
            cure = f"did you mean {near!r}? If so, rename it: {rename}" if near else ""
            problems.append(Problem(None, name, "the table has no such column: it is missing in every row", cure))
        elif lacking := table.lacks.get(name):
            reason = f"it is made of columns that the table lacks ({', '.join(lacking)}): missing in every row"
            problems.append(Problem(None, name, reason))
    return problems


def unread_columns(table: Table, learnt: Mapping[str, Modality]) -> list[Problem]:
    """Report columns of the table whose cells cannot be read, or not completely."""
    problems = list[Problem]()
    for name in learnt:
        origin = table.column(name).origin if name in table else None
        if origin and origin.unread:
            reason = f"the column has {origin.unread}, which cannot be read: it is missing in every row"
            problems.append(Problem(None, name, reason, origin.cure or "convert it to text or numbers"))
        elif origin and origin.lost:
            problems.append(Problem(None, name, origin.lost))
    return problems


def absent_column(name: str, table: Table) -> Column:
    """Return a column whose cells are all missing."""
    return Column(name, pa.nulls(len(table), pa.string()), table.files)
