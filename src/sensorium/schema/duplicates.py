"""Report equal rows, texts and paths in several splits, without decoding a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from sensorium.config import Config
from sensorium.findings import ColumnPlan, Problem
from sensorium.registry import modalities
from sensorium.schema._split_column import split_column
from sensorium.schema.copies import SENTENCE, Copies, Ids, Sides, group_copies, long_texts, value_ids
from sensorium.schema.digests import is_hashed
from sensorium.schema.repeated import are_of_interest
from sensorium.table import Column, Table


def duplicate_findings(table: Table, plans: Iterable[ColumnPlan], sides: Sides, config: Config) -> list[Problem]:
    """Return a finding for equal rows in several splits, and for equal texts and paths if they concern more rows.

    `inspect` compares the bytes of files and near duplicates as well.
    """
    used = [plan for plan in plans if plan.modality and not plan.view_of and plan.name in table]
    cure, found = _cure(table, config), list[Problem]()
    ids = equal_rows([table.column(plan.name) for plan in used], len(table))
    rows = 0
    if ids is not None:
        whole = group_copies(ids, sides, column="", kind="same", how="all columns used as features")
        rows = whole.rows_across
        found += [Problem(None, "", _reason(whole, "rows"), cure)] if rows else []
    for plan in used:
        copies = _in_column(table.column(plan.name), plan, sides)
        if copies and copies.rows_across > rows:
            found.append(Problem(None, plan.name, _reason(copies, f"cells ({copies.how})"), cure))
    return found


def equal_rows(columns: Sequence[Column], size: int) -> Ids | None:
    """Return int64[n] numbers, the same for equal rows, -1 for other rows; None if equal rows are of no interest.

    Only rows that are equal so far are compared in the next column.
    """
    rows, ids, filled = np.arange(size), np.zeros(size, np.int64), np.zeros(size, np.bool_)
    for column in sorted(columns, key=_is_costly):
        cells = column if len(rows) == size else column.take(rows)
        own = value_ids(cells)
        _, ids, sizes = np.unique(ids * (own.max(initial=-1) + 2) + own + 1, return_inverse=True, return_counts=True)
        several = sizes[ids] > 1
        rows, ids, filled = rows[several], ids[several], (filled | (own >= 0))[several]
    rows, ids = rows[filled], ids[filled]
    sizes = np.unique(ids, return_counts=True)[1]
    sizes = np.concatenate([sizes, np.ones(size - len(rows), np.int64)])
    if not are_of_interest(sizes, (value_ids(column) for column in columns)):
        return None
    found = np.full(size, -1, np.int64)
    found[rows] = ids
    return found


def _is_costly(column: Column) -> bool:
    return bool(is_hashed(column.data.type) or pa.types.is_nested(column.data.type))


def _in_column(column: Column, plan: ColumnPlan, sides: Sides) -> Copies | None:
    """Group equal paths of files and equal long texts; None for other columns, whose cells are equal by chance."""
    kind = modalities.load(plan.modality or "")
    if not column.is_string:
        return None
    if kind.cacheable:
        ids, how = value_ids(column), "the same path"
    elif kind.near_duplicates == "text":
        ids, how = long_texts(column, value_ids(column)), f"the same text of at least {SENTENCE} characters"
    else:
        return None
    return group_copies(ids, sides, column=column.name, kind="same", how=how)


def _reason(copies: Copies, what: str) -> str:
    return f"duplicate {what} in several splits (data leakage): {', '.join(copies.harms)}"


def _cure(table: Table, config: Config) -> str:
    column = split_column(table, config)
    if column:
        return f"remove the duplicates, or put them into one split in column {column!r}"
    if config.split.group or config.split.time:
        return "remove the duplicates"
    return "remove the duplicates, or keep them together by a column that identifies them: --set split.group=COLUMN"
