"""Group rows that are the same or nearly: how many, which are in several splits, which have different labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.findings import count
from sensorium.schema.digests import digest_ids, is_hashed
from sensorium.split import SPLITS
from sensorium.table import Column

GROUPS = 20  # listed
SENTENCE = 20  # minimum length in characters of texts that are unlikely to be equal by chance
ROWS = 20  # of a group, listed

Ids: TypeAlias = npt.NDArray[np.int64]
"""One number per row: equal for equal cells, -1 if there is nothing to compare."""


@dataclass(frozen=True)
class Copies:
    """Rows that are equal or similar in one column, or in all columns used as features.

    Attributes:
        column: empty for whole rows.
        kind: `same` or `near`.
        how: what was compared.
        rows: number of rows that have a duplicate, over all groups.
        groups: number of groups of duplicates.
        across: {"rows", "of", "also_in"}: this many rows of one split are also in an earlier one.
        differ: groups whose labels differ; 0 without a target.
        looked_at, left_out: rows compared, and rows left out because they were too many.
        listed: the first groups, those across splits first: {"rows", "size", "splits"}.
    """

    column: str
    kind: str
    how: str
    rows: int
    groups: int
    across: list[dict[str, Any]]
    differ: int
    looked_at: int
    left_out: int
    listed: list[dict[str, Any]]

    @property
    def rows_across(self) -> int:
        """Return the number of rows that are also in an earlier split."""
        return sum(found["rows"] for found in self.across)

    @property
    def harms(self) -> list[str]:
        """Describe the rows that are in several splits, and the groups whose labels differ."""
        across = [f"{count(found['rows'], found['of'] + ' row')} also in {found['also_in']}" for found in self.across]
        return across + ([f"labels differ in {count(self.differ, 'group')}"] if self.differ else [])

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        where = f"column {self.column!r}" if self.column else "whole rows"
        alike = "duplicates" if self.kind == "same" else "near duplicates"
        parts = [f"{where}: {count(self.rows, 'row')} in {count(self.groups, 'group')} of {alike} ({self.how})"]
        parts += self.harms
        parts += [f"{count(self.left_out, 'row')} not compared: too many"] if self.left_out else []
        return "; ".join(parts)


@dataclass(frozen=True)
class Sides:
    """Splits and labels of rows: `splits` int8[n] (-1: none), `labels` int64[n] (-1: none)."""

    splits: npt.NDArray[np.int8]
    labels: Ids


def value_ids(column: Column) -> Ids:
    """Return one number per cell, equal for equal cells."""
    if is_hashed(column.data.type):
        return digest_ids(column.data)
    cells = column.strings if pa.types.is_nested(column.data.type) else column.data
    return np.asarray(pc.fill_null(pc.dictionary_encode(cells).indices, -1), np.int64)


def long_texts(column: Column, ids: Ids, least: int = SENTENCE) -> Ids:
    """Return the numbers of the cells, -1 for texts of fewer characters."""
    lengths = np.asarray(pc.fill_null(pc.utf8_length(column.strings), 0))
    return np.where(lengths >= least, ids, -1)


def group_copies(
    ids: Ids, sides: Sides, *, column: str, kind: str, how: str, same: Ids | None = None, left_out: int = 0
) -> Copies:
    """Collect groups of two rows or more.

    Args:
        ids: rows with the same number are duplicates; -1 matches nothing.
        sides: their splits and labels.
        column, kind, how, left_out: as in `Copies`.
        same: for near copies, the numbers of identical cells: a group must hold two of them or more.
    """
    numbers, inverse, sizes = np.unique(ids, return_inverse=True, return_counts=True)
    several = (sizes > 1) & (numbers >= 0)
    if same is not None:
        several &= _different(inverse, same, len(numbers)) > 1
    within = np.zeros((len(numbers), len(SPLITS) + 1), bool)
    within[inverse, sides.splits] = True  # the last for rows of no split
    alike, held = several[inverse], within[:, :-1]
    labelled = sides.labels >= 0
    labels = _different(inverse[labelled], sides.labels[labelled], len(numbers))
    order = np.lexsort((-sizes, -held.sum(1)))
    listed = [_group(inverse, number, sides) for number in order[several[order]][:GROUPS]]
    return Copies(
        column=column,
        kind=kind,
        how=how,
        rows=int(alike.sum()),
        groups=int(several.sum()),
        across=_across(held[inverse] & alike[:, None], sides),
        differ=int((labels[several] > 1).sum()),
        looked_at=int((ids >= 0).sum()),
        left_out=left_out,
        listed=listed,
    )


def _different(groups: Ids, values: Ids, size: int) -> Ids:
    """Return int64[size]: the number of different values in each group."""
    if not len(groups):
        return np.zeros(size, np.int64)
    pairs = np.unique(np.stack([groups, values], 1), axis=0)
    return np.bincount(pairs[:, 0], minlength=size)


def _across(held: npt.NDArray[np.bool_], sides: Sides) -> list[dict[str, Any]]:
    found = []
    for earlier, later in combinations(range(len(SPLITS)), 2):
        rows = int((held[:, earlier] & (sides.splits == later)).sum())
        if rows:
            found.append({"rows": rows, "of": SPLITS[later], "also_in": SPLITS[earlier]})
    return found


def _group(inverse: Ids, number: int, sides: Sides) -> dict[str, Any]:
    rows = np.flatnonzero(inverse == number)
    sizes = {name: int((sides.splits[rows] == code).sum()) for code, name in enumerate(SPLITS)}
    splits = {name: size for name, size in sizes.items() if size}
    return {"rows": rows[:ROWS].tolist(), "size": len(rows), "splits": splits}
