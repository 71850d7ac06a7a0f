"""Units: rows that belong together, such as those of one patient, with one prediction and one label each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sensorium.errors import SchemaError
from sensorium.findings import Problem, count
from sensorium.split import group_codes, whole_groups
from sensorium.table import Column, Floats, Rows, Truths
from sensorium.tasks import EncodedTarget

SAME = 1e-9  # relative difference up to which two amounts are the same label
NO_VALUE = "no value: each of these rows is one unit"


@dataclass(frozen=True)
class UnitCount:
    """Rows that were aggregated to units.

    Attributes:
        column: name of the column whose values name the units.
        rows: number of rows of the units.
    """

    column: str
    rows: int


@dataclass(frozen=True, eq=False)
class Units:
    """Units of n rows, in the order of their first rows.

    Attributes:
        column: name of the column whose values name the units.
        of_rows: int64[n], unit of each row.
        first: int64[u], first row of each unit.
        unnamed: int64[k], rows without a value; each of them is one unit.

    Example:
        >>> from sensorium.evaluate import Units
        >>> from sensorium.table import open_table
        >>> units = Units.of(open_table({"patient": ["b", "a", "b", None]}).column("patient"))
        >>> len(units), units.of_rows.tolist(), units.unnamed.tolist()
        (3, [0, 1, 0, 2], [3])
        >>> units.mean(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, True, True, False])).tolist()
        [2.0, 2.0, 4.0]
    """

    column: str
    of_rows: Rows
    first: Rows
    unnamed: Rows

    @classmethod
    def of(cls, column: Column) -> Units:
        """Return the units that a column names; case and blanks at the ends do not count."""
        codes = group_codes(column)
        _, first, places = np.unique(whole_groups(codes), return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return cls(column.name, rank[places], first[order], np.flatnonzero(codes < 0))

    def __len__(self) -> int:
        return len(self.first)

    @property
    def sizes(self) -> Rows:
        """Number of rows of each unit, int64[u]."""
        return np.bincount(self.of_rows, minlength=len(self))

    def mean(self, values: Floats, present: Truths) -> Floats:
        """Return the mean of each unit, [u, ...], over its rows that are present; over all if none is.

        Args:
            values: float64[n, ...], such as scores.
            present: bool[n], such as rows that have a value in some column.
        """
        weights = present.astype(np.float64)
        weights[(self.sum(weights) == 0)[self.of_rows]] = 1
        totals = self.sum(values * weights.reshape(-1, *[1] * (values.ndim - 1)))
        return totals / self.sum(weights).reshape(-1, *[1] * (values.ndim - 1))

    def sum(self, values: Floats) -> Floats:
        """Return the sum of each unit, [u, ...]."""
        totals = np.zeros((len(self), *values.shape[1:]))
        np.add.at(totals, self.of_rows, values)
        return totals

    def any(self, present: Truths) -> Truths:
        """Return whether a row of the unit is present, bool[u]."""
        return self.sum(present.astype(np.float64)) > 0

    def all(self, present: Truths) -> Truths:
        """Return whether all rows of the unit are present, bool[u]."""
        return self.sum(present.astype(np.float64)) == self.sizes

    def problems(self) -> list[Problem]:
        """Return the rows without a value."""
        return [Problem(int(row), self.column, NO_VALUE) for row in self.unnamed]


def unit_labels(target: EncodedTarget, units: Units, name: str, *, several: bool = False) -> EncodedTarget:
    """Return the label of each unit: that of its rows that have one, which must agree.

    Units whose rows have different labels are unknown, and reported. Of several targets, only those that differ are.

    Args:
        target: labels of the rows.
        units: of the rows.
        name: the target column, for messages.
        several: whether the labels are those of several targets, NaN where unknown.

    Raises:
        SchemaError: more than half of the rows with a label are in such units.
    """
    values = np.asarray(target.values, np.float64).reshape(len(target.known), -1)
    rows, columns = np.nonzero(np.isfinite(values) & target.known[:, None])
    low, high = np.full((2, len(units), values.shape[1]), np.nan)
    np.fmin.at(low, (units.of_rows[rows], columns), values[rows, columns])
    np.fmax.at(high, (units.of_rows[rows], columns), values[rows, columns])
    labelled = np.isfinite(low)
    with np.errstate(invalid="ignore"):
        differ = labelled & (high - low > SAME * np.maximum(np.abs(low), np.abs(high)))
    split, some = differ.any(1), labelled.any(1)
    lost, labelled_rows = int(split[units.of_rows][target.known].sum()), int(target.known.sum())
    if lost * 2 > labelled_rows:
        share = f"{split.sum():,} of {count(int(some.sum()), 'unit')}"
        raise SchemaError(
            f"rows of one {units.column!r} have different labels, in {share} with {lost:,} of {labelled_rows:,} rows",
            place=f"column {name!r}",
            rule=f"--by {units.column}: the rows of one unit have one label",
            cure="omit --by (Python: by=) to score each row, or name a column whose rows share a label",
        )
    known = (labelled & ~differ).any(1) if several else some & ~split
    merged = np.where(labelled & ~differ, low, np.nan if several else 0.0)
    return EncodedTarget(_typed(merged, target.values), known, _differing(split, units, name))


def _typed(merged: Floats, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return merged.reshape(len(merged), *values.shape[1:]).astype(values.dtype)


def _differing(split: Truths, units: Units, name: str) -> list[Problem]:
    if not split.any():
        return []
    of_column = f"whose rows have different labels of {name!r}: not scored"
    reason = f"{count(int(split.sum()), 'unit')} of {len(units):,} {of_column}"
    cure = "correct the labels, or score each row, without --by (Python: by=)"
    return [Problem(None, units.column, reason, cure)]


def unit_groups(units: Units, groups: Rows | None) -> Rows | None:
    """Return the group of each unit, int64[u]; None if each unit is a group of its own, or rows are not grouped.

    Groups that share a unit are one group: their rows are not independent.
    """
    if groups is None:
        return None
    codes = np.unique(groups, return_inverse=True)[1]
    size, number = len(units), int(codes.max(initial=-1)) + 1
    links = coo_array((np.ones(len(codes)), (units.of_rows, size + codes)), shape=(size + number, size + number))
    found = connected_components(links, directed=False)[1][:size]
    return found.astype(np.int64) if len(np.unique(found)) < size else None
