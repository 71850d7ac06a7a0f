"""Assign rows to splits: at random, stratified by label, by group, by time, or by group and time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sensorium.config import SplitConfig
from sensorium.errors import SchemaError
from sensorium.split._codes import UNUSED, Codes, group_codes, label_codes, whole_groups
from sensorium.split._moments import Moments, check_known, moments_of, reach_of
from sensorium.table import Column, Rows, Table

MOST_CLASSES = 0.2  # share of different values above which a target is not stratified by
FEW_NUMBERS = 20  # different whole numbers up to which floats are labels, which pandas makes of labels with gaps
Shares = tuple[float, float]  # of validation and test


@dataclass(frozen=True)
class Rules:
    """Rows of a table and the settings of their split; `continuous`: whether the target is a number, never a class."""

    table: Table
    target: Column
    config: SplitConfig
    seed: int
    continuous: bool = False

    @cached_property
    def stratified(self) -> bool:
        target = self.target
        labels = not target.is_float or target.distinct == 2 or (target.distinct <= FEW_NUMBERS and target.is_whole)
        few = 1 < target.distinct <= max(2, MOST_CLASSES * len(target.values))
        return self.config.stratify and labels and few and not self.continuous

    @cached_property
    def time(self) -> Column:
        return self.table.column(self.config.time or "")

    @cached_property
    def moments(self) -> Moments:
        return moments_of(self.time, self.config.day_first)

    @cached_property
    def group(self) -> Column:
        return self.table.column(self.config.group or "")

    @cached_property
    def named_groups(self) -> Rows:
        """Return int64[n] group codes, -1 if the group is missing."""
        return group_codes(self.group)

    @cached_property
    def groups(self) -> Rows:
        """Return int64[n] group codes; a row with a missing group is a separate group."""
        return whole_groups(self.named_groups)

    @cached_property
    def reach(self) -> tuple[Rows, Rows] | None:
        return reach_of(self.table, self.config) if self.config.span else None

    @cached_property
    def blanks(self) -> int:
        """Return names of groups that differ from another one only by case, blanks or invisible characters."""
        return self.group.distinct - len(np.unique(self.named_groups[self.named_groups >= 0]))

    def deal(self, rows: Rows, shares: Shares, *, step: int = 1) -> Codes:
        """Return the split of each row, -1 for rows that cannot be used.

        Args:
            rows: rows of the table.
            shares: fractions of validation and test.
            step: added to the seed for the validation rows, if rows are split at random.
        """
        if self.config.time and self.config.group:
            check_known(self.time, self.moments, rows)
            groups = self._by_latest_group(rows, shares)
            return (
                np.where(groups == self._by_time(rows, shares), groups, UNUSED).astype(np.int8)
                if self.reach
                else groups
            )
        if self.config.time:
            return self._by_time(rows, shares)
        return self._by_group(rows, shares) if self.config.group else self._at_random(rows, shares, step)

    def _at_random(self, rows: Rows, shares: Shares, step: int) -> Codes:
        validation, test = shares
        codes = np.zeros(len(self.table), np.int8)
        held = pick(self._order(rows, self.seed), test)
        codes[held] = 2
        rest = np.setdiff1d(rows, held)
        codes[pick(self._order(rest, self.seed + step), _of_rest(validation, test))] = 1
        return codes[rows]

    def _order(self, rows: Rows, seed: int) -> Rows:
        """Shuffle the rows and, if stratified, sort them by label, so that every k-th row gives a stratified sample."""
        rows = np.random.default_rng(seed).permutation(rows)
        return rows[np.argsort(label_codes(self.target)[rows], kind="stable")] if self.stratified else rows

    def _by_group(self, rows: Rows, shares: Shares) -> Codes:
        validation, test = shares
        names, first, places = np.unique(self.groups[rows], return_index=True, return_inverse=True)
        order = np.random.default_rng(self.seed).permutation(len(names))
        if self.stratified:
            labels = label_codes(self.target)[rows[first]]
            order = order[np.argsort(labels[order], kind="stable")]
        codes = np.zeros(len(names), np.int8)
        codes[pick(order, test)] = 2
        codes[pick(order[codes[order] == 0], _of_rest(validation, test))] = 1
        return codes[places]

    def _by_latest_group(self, rows: Rows, shares: Shares) -> Codes:
        """Split groups by their latest row: the last groups are the test set, those before the validation set."""
        names, places, sizes = np.unique(self.groups[rows], return_inverse=True, return_counts=True)
        latest = np.zeros(len(names), np.int64)
        np.maximum.at(latest, places, self.moments.ticks[rows])
        order = np.random.default_rng(self.seed).permutation(len(names))
        order = order[np.argsort(latest[order], kind="stable")]
        codes = np.zeros(len(names), np.int8)
        for code, share in ((2, shares[1]), (1, shares[0])):
            if share > 0 and len(order) > 1:
                reached = np.cumsum(sizes[order[::-1]])[:-1]  # one group is left to train
                count = 1 + int(np.abs(reached - share * len(rows)).argmin())
                codes[order[-count:]] = code
                order = order[:-count]
        return codes[places]

    def _by_time(self, rows: Rows, shares: Shares) -> Codes:
        check_known(self.time, self.moments, rows)
        validation, test = shares
        ticks = self.moments.ticks
        order = rows[np.argsort(ticks[rows], kind="stable")]
        cut = _cut(ticks[order], len(order), test)
        if test and cut == len(order):
            raise SchemaError(
                "cannot split rows by time: all rows have the same time",
                place=f"column {self.time.name!r}",
                rule="at least two different times",
            )
        held, rest = order[cut:], before(order[:cut], order[cut:], self.reach)
        cut = _cut(ticks[rest], len(order), validation)
        codes = np.full(len(self.table), UNUSED, np.int8)
        codes[held] = 2
        codes[rest[cut:]] = 1
        codes[before(rest[:cut], rest[cut:], self.reach)] = 0
        return codes[rows]


def pick(order: Rows, share: float) -> Rows:
    """Pick evenly spaced rows of `order`, at least one if the share is above 0 and there are two rows."""
    count = max(1, round(len(order) * share)) if share > 0 and len(order) > 1 else 0
    return order[((np.arange(count) + 0.5) * len(order) / max(1, count)).astype(np.int64)]


def _of_rest(validation: float, test: float) -> float:
    """Return the fraction of validation rows among those that are no test rows."""
    return min(1.0, validation / (1 - test)) if test < 1 else 0.0


def before(rows: Rows, later: Rows, reach: tuple[Rows, Rows] | None) -> Rows:
    """Return the rows that end before the first of the later ones begins: their periods do not overlap."""
    if reach is None or not len(later):
        return rows
    begins, ends = reach
    return rows[ends[rows] < begins[later].min()]


def _cut(ticks: Rows, total: int, share: float) -> int:
    """Return the start of the last rows (a fraction of all), moved back so that rows of equal time stay together.

    If that would leave none before it, after the first time instead.
    """
    position = len(ticks) - max(1, round(total * share)) if share else len(ticks)
    if not 0 < position < len(ticks):
        position = min(max(position, 0), len(ticks))
    else:
        position = int(np.searchsorted(ticks, ticks[position], side="left"))
    return position or int(np.searchsorted(ticks, ticks[:1].max(initial=0), side="right"))
