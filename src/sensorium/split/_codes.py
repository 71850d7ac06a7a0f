"""Number the labels and groups of rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.labels.values import bare
from sensorium.table import Column, Rows, Table

SPLITS = ("train", "validation", "test")
UNUSED = -1

Codes = npt.NDArray[np.int8]


def label_codes(target: Column) -> Rows:
    """Return one code per distinct cell, -1 if it is missing."""
    data = target.data
    if target.is_list:
        data = pa.array([None if v is None else "\0".join(map(str, v)) for v in data.to_pylist()], pa.string())
    codes = pc.dictionary_encode(data).indices.fill_null(-1)
    return np.asarray(codes, dtype=np.int64)


def group_codes(group: Column) -> Rows:
    """Return one code per group, -1 if it is missing.

    Case, blanks and invisible characters are ignored: one patient spelled in two ways must not be in two splits.
    """
    if not group.is_string:
        return label_codes(group)
    names = pc.utf8_trim_whitespace(group.data)
    names = pc.if_else(pc.equal(names, ""), None, names).dictionary_encode()
    names = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    spellings = names.dictionary.to_pylist()
    first = dict[str, str]()
    for name in sorted(spellings):
        first.setdefault(bare(name).casefold(), name)
    usual = pa.array([first[bare(name).casefold()] for name in spellings], pa.string())
    return label_codes(Column(group.name, usual.take(names.indices), group.files))


def whole_groups(codes: Rows) -> Rows:
    """Return one code per group, where a row with a missing group is a separate group."""
    return np.where(codes < 0, codes.max(initial=-1) + 1 + np.arange(len(codes)), codes)


def split_groups(groups: Rows, codes: Codes | Rows) -> Rows:
    """Return the groups that are in several splits, in increasing order, from group and split of each row."""
    pairs = np.unique(np.stack([groups, codes.astype(np.int64)]), axis=1)
    names, counts = np.unique(pairs[0], return_counts=True)
    return names[counts > 1]


def row_groups(table: Table, group: str | None) -> Rows | None:
    """Return the group of each row, [n]; None if rows are not grouped, or the table lacks the column of groups."""
    return whole_groups(group_codes(table.column(group))) if group and group in table else None


def keep_classes_in_train(codes: Codes, target: Column) -> None:
    """Put classes with too few rows for three splits into training, so that they can be learned."""
    labels = label_codes(target)
    lost = np.setdiff1d(labels[codes > 0], labels[codes == 0])
    codes[np.isin(labels, lost) & (codes > 0)] = 0
