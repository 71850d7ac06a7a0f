"""Which row trains, which validates, which tests; named by a column, or made and recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import SplitConfig
from sensorium.errors import SchemaError
from sensorium.problems import Problem
from sensorium.table import Column, Table

SPLITS = ("train", "validation", "test")
UNUSED = -1
SPELLINGS = {
    **dict.fromkeys(("train", "training", "tr"), 0),
    **dict.fromkeys(("validation", "val", "valid", "dev", "development"), 1),
    **dict.fromkeys(("test", "testing", "holdout", "eval"), 2),
}
MOST_CLASSES = 0.2  # above this share of different values a target is no class to stratify by

Codes = npt.NDArray[np.int8]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """One code a row and how it came about.

    Attributes:
        codes: int8[n]; 0 train, 1 validation, 2 test, -1 not used.
        how: a sentence for the report.
        findings: what the user should know of it: a share that could not be kept, a group in two splits.
    """

    codes: Codes
    how: str
    findings: tuple[Problem, ...] = ()

    def rows(self, name: str) -> Rows:
        """int64: the rows of `train`, `validation` or `test`, in table order."""
        return np.flatnonzero(self.codes == SPLITS.index(name))

    def sizes(self) -> dict[str, int]:
        return {name: int((self.codes == code).sum()) for code, name in enumerate(SPLITS)}


def make_split(table: Table, target: Column, config: SplitConfig, column: str | None, seed: int) -> Split:
    """Split the rows that have a label.

    Args:
        table: the rows.
        target: its label column; rows without a label are not used.
        config: group, time, shares.
        column: the column that names the splits, if there is one.
        seed: of the shuffle.

    Raises:
        SchemaError: unknown spellings in the split column; no training rows; too few rows to split.
    """
    labelled = np.flatnonzero(target.present)
    if column:
        codes, how = named_codes(table.column(column)), f"named by column {column!r}"
        codes[~target.present] = UNUSED
        if (codes == 0).any() and not (codes == 1).any():
            rows = np.flatnonzero(codes == 0)
            codes[_pick(_order(rows, target, config, seed), config.validation)] = 1
            how += "; validation rows taken from the training rows"
    else:
        _check_count(table, labelled)
        codes = np.full(len(table), UNUSED, np.int8)
        codes[labelled] = 0
        how = _assign(codes, labelled, table, target, config, seed)
    _check_train(codes, table, column)
    return Split(codes, how)


def named_codes(column: Column) -> Codes:
    """The code of the split that each cell names; -1 where it is empty."""
    if not column.is_string:
        raise SchemaError(
            f"the split column {column.name!r} holds {column.data.type}", rule=f"one of {', '.join(SPELLINGS)}"
        )
    codes = np.full(len(column), UNUSED, np.int8)
    unknown = set()
    for row, value in enumerate(column.data.to_pylist()):
        code = SPELLINGS.get(value.strip().lower()) if value is not None else UNUSED
        if code is None:
            unknown.add(value)
        else:
            codes[row] = code
    if unknown:
        raise SchemaError(
            f"the split column {column.name!r} holds {', '.join(map(repr, sorted(unknown)[:5]))}",
            rule=f"one of {', '.join(SPELLINGS)}",
        )
    return codes


def _assign(codes: Codes, labelled: Rows, table: Table, target: Column, config: SplitConfig, seed: int) -> str:
    if config.time:
        order = labelled[_time_order(table.column(config.time), labelled)]
        reach = reach_of(table.column(config.span[0]), table.column(config.span[1])) if config.span else None
        _by_time(codes, order, table.column(config.time), config, reach)
        left = int((codes[labelled] == UNUSED).sum())
        note = f"; {left:,} rows that reach into the period of a later split are left out" if reach else ""
        return f"made: by time ({config.time!r}), the latest rows test{note}"
    if config.group:
        _by_group(codes, labelled, table.column(config.group), target, config, seed)
        return f"made: by group ({config.group!r}), seed {seed}"
    test = _pick(_order(labelled, target, config, seed), config.test)
    codes[test] = 2
    rest = np.setdiff1d(labelled, test)
    codes[_pick(_order(rest, target, config, seed + 1), config.validation / (1 - config.test))] = 1
    _keep_classes_in_train(codes, target, config)
    return f"made: {'stratified by the label' if _stratified(target, config) else 'at random'}, seed {seed}"


def _stratified(target: Column, config: SplitConfig) -> bool:
    return config.stratify and not target.is_float and 1 < target.distinct <= max(2, MOST_CLASSES * len(target.values))


def _order(rows: Rows, target: Column, config: SplitConfig, seed: int) -> Rows:
    """The rows shuffled and, if stratified, sorted by label: every k-th of them is then a fair sample."""
    rows = np.random.default_rng(seed).permutation(rows)
    if not _stratified(target, config):
        return rows
    return rows[np.argsort(label_codes(target)[rows], kind="stable")]


def _pick(order: Rows, share: float) -> Rows:
    """Evenly spaced rows of `order`, at least one where a share is asked for and two rows are there."""
    count = max(1, round(len(order) * share)) if share > 0 and len(order) > 1 else 0
    return order[((np.arange(count) + 0.5) * len(order) / max(1, count)).astype(np.int64)]


def label_codes(target: Column) -> Rows:
    """One code for each different cell, -1 where it is missing."""
    data = target.data
    if target.is_list:
        data = pa.array([None if v is None else "\0".join(map(str, v)) for v in data.to_pylist()], pa.string())
    codes = pc.dictionary_encode(data).indices.fill_null(-1)
    return np.asarray(codes, dtype=np.int64)


def _keep_classes_in_train(codes: Codes, target: Column, config: SplitConfig) -> None:
    """A class with too few rows for three splits trains: it can't be predicted otherwise."""
    if _stratified(target, config):
        labels = label_codes(target)
        lost = np.setdiff1d(labels[codes > 0], labels[codes == 0])
        codes[np.isin(labels, lost) & (codes > 0)] = 0


def _by_group(codes: Codes, labelled: Rows, group: Column, target: Column, config: SplitConfig, seed: int) -> None:
    groups = label_codes(group)
    # A missing group is a group of its own row: it can't be tied to others.
    groups = np.where(groups < 0, groups.max() + 1 + np.arange(len(groups)), groups)
    names, first = np.unique(groups[labelled], return_index=True)
    order = np.random.default_rng(seed).permutation(len(names))
    if _stratified(target, config):
        labels = label_codes(target)[labelled[first]]
        order = order[np.argsort(labels[order], kind="stable")]
    test = _pick(order, config.test)
    rest = order[~np.isin(order, test)]
    validation = _pick(rest, config.validation / (1 - config.test))
    codes[labelled[np.isin(groups[labelled], names[test])]] = 2
    codes[labelled[np.isin(groups[labelled], names[validation])]] = 1


def _time_order(time: Column, labelled: Rows) -> Rows:
    if time.present[labelled].all() and (pa.types.is_temporal(time.data.type) or time.is_integer or time.is_float):
        return np.argsort(ticks_of(time)[labelled], kind="stable")
    if (
        time.present[labelled].all()
        and time.is_string
        and pc.all(pc.match_substring_regex(time.values, r"^\d{4}-\d\d")).as_py()
    ):
        return np.argsort(ticks_of(time)[labelled], kind="stable")
    raise SchemaError(
        f"rows can't be ordered by column {time.name!r}",
        rule="dates, times or numbers, none of them missing; text only as 2026-01-31",
    )


def ticks_of(time: Column) -> Rows:
    """Ranks of the values: equal values, equal ranks."""
    ranks = pc.rank(time.data, sort_keys="ascending", tiebreaker="dense")
    return np.asarray(ranks, dtype=np.int64)


def reach_of(begins: Column, ends: Column) -> tuple[Rows, Rows]:
    """Common ranks of the first and last moments; where one is missing, the row may reach any far."""
    if begins.data.type != ends.data.type:
        raise SchemaError(
            f"columns {begins.name!r} and {ends.name!r} hold {begins.data.type} and {ends.data.type}",
            place="split.span",
            rule="moments of one kind",
        )
    both = Column("", pa.concat_arrays([begins.data, ends.data]), begins.files)
    ticks = ticks_of(both)
    first, last = ticks[: len(begins)], ticks[len(begins) :]
    return np.where(begins.present, first, 0), np.where(ends.present, last, len(both) + 1)


def _by_time(codes: Codes, order: Rows, time: Column, config: SplitConfig, reach: tuple[Rows, Rows] | None) -> None:
    ticks = ticks_of(time)
    cut = _cut(ticks[order], len(order) - max(1, round(len(order) * config.test)) if config.test else len(order))
    test, rest = order[cut:], _before(order[:cut], order[cut:], reach)
    cut = _cut(ticks[rest], len(rest) - max(1, round(len(order) * config.validation)))
    validation, training = rest[cut:], _before(rest[:cut], rest[cut:], reach)
    codes[order] = UNUSED
    for code, rows in enumerate((training, validation, test)):
        codes[rows] = code


def _before(rows: Rows, later: Rows, reach: tuple[Rows, Rows] | None) -> Rows:
    """Those of the rows that end before the first of the later ones begins: neither knows of the other's period."""
    if reach is None or not len(later):
        return rows
    begins, ends = reach
    return rows[ends[rows] < begins[later].min()]


def _cut(ticks: Rows, position: int) -> int:
    """The nearest cut at or before `position` that does not part rows of one time."""
    if position <= 0 or position >= len(ticks):
        return min(max(position, 0), len(ticks))
    return int(np.searchsorted(ticks, ticks[position], side="left"))


def _check_count(table: Table, labelled: Rows) -> None:
    if len(labelled) < 4:
        raise SchemaError(
            f"only {len(labelled)} of {len(table)} rows have a label",
            place=table.name,
            rule="four or more to train and test",
        )


def _check_train(codes: Codes, table: Table, column: str | None) -> None:
    if not (codes == 0).any():
        place = f"column {column!r}" if column else table.name
        raise SchemaError("no row with a label is left to train on", place=place, rule="some rows are `train`")
