"""Assign rows to folds: at random, stratified by label or quantile, by group, or by time with a rolling origin."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sensorium.split._codes import label_codes
from sensorium.split._deal import Rules, before
from sensorium.split._moments import check_known
from sensorium.table import Rows

QUANTILES = 10  # strata of a continuous target
Pair = tuple[Rows, Rows]  # rows to learn from and rows to judge


def random_folds(rules: Rules, rows: Rows, count: int, seed: list[int]) -> list[Pair]:
    """Return folds that are drawn at random; every class and every part of the range of a number is spread evenly.

    A class with a single row is in no judged part, so that every class can be learned.
    """
    drawn = np.setdiff1d(np.arange(len(rows)), lone_rows(rules, rows))
    strata = strata_of(rules, rows[drawn], count)
    order = np.random.default_rng(seed).permutation(len(drawn))
    order = order[np.argsort(strata[order], kind="stable")]
    folds = np.full(len(rows), -1, np.int64)
    folds[drawn[order]] = np.arange(len(drawn)) % count
    return [(rows[folds != fold], rows[folds == fold]) for fold in range(count)]


def group_folds(rules: Rules, rows: Rows, count: int, seed: list[int]) -> list[Pair]:
    """Return folds of whole groups, of about equal numbers of rows and, if stratified, of rows per class.

    Groups are assigned one after another, large ones first, each to the fold that has the smallest share of its labels
    so far.
    """
    strata = np.unique(strata_of(rules, rows, count), return_inverse=True)[1]
    places, sizes = np.unique(rules.groups[rows], return_inverse=True, return_counts=True)[1:]
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    by_group = np.argsort(places, kind="stable")
    members = np.split(strata[by_group], np.cumsum(sizes)[:-1])
    totals = np.bincount(strata)
    shares, filled = np.zeros((count, len(totals))), np.zeros(count)
    folds = np.empty(len(sizes), np.int64)
    for group in order:
        names, counts = np.unique(members[group], return_counts=True)
        load = shares[:, names] @ counts + filled * sizes[group]
        fold = int(load.argmin())
        folds[group] = fold
        shares[fold, names] += counts / totals[names]
        filled[fold] += sizes[group] / len(rows)
    found = folds[places]
    return [(rows[found != fold], rows[found == fold]) for fold in range(count)]


def time_folds(rules: Rules, rows: Rows, count: int) -> list[Pair]:
    """Return folds with a rolling origin: each judges the rows of one period, and learns from all earlier rows.

    Rows of one time stay together. With `split.span`, rows whose period reaches into the judged one are left out
    (embargo).
    """
    check_known(rules.time, rules.moments, rows)
    blocks = _time_blocks(rules, rows, count)
    return list(_rolling(rules, rows, blocks, blocks))


def group_time_folds(rules: Rules, rows: Rows, count: int) -> list[Pair]:
    """Return folds with a rolling origin over groups, ordered by their latest row.

    With `split.span`, only rows that are later than all earlier groups are judged; earlier rows of their groups are
    left out.
    """
    check_known(rules.time, rules.moments, rows)
    places, sizes = np.unique(rules.groups[rows], return_inverse=True, return_counts=True)[1:]
    latest = np.zeros(len(sizes), np.int64)
    np.maximum.at(latest, places, rules.moments.ticks[rows])
    order = np.argsort(latest, kind="stable")
    middles = (np.cumsum(sizes[order]) - sizes[order] / 2) / len(rows)  # of the rows of each group
    groups = np.empty(len(sizes), np.int64)
    groups[order] = np.unique(np.floor(middles * (count + 1)), return_inverse=True)[1]
    blocks, judged = groups[places], groups[places]
    if rules.reach:
        ends_of_blocks = np.array([latest[groups == block].max() for block in range(int(groups.max()) + 1)])
        judged = np.where(rules.moments.ticks[rows] > ends_of_blocks[blocks - 1], blocks, -1)
    return list(_rolling(rules, rows, blocks, judged))


def by_quantile(rules: Rules) -> bool:
    """Return whether rows are stratified by the quantiles of a number."""
    return rules.config.stratify and not rules.stratified and rules.target.is_number


def strata_of(rules: Rules, rows: Rows, count: int) -> Rows:
    """Return the stratum of each row: its label, the quantile of its number, or 0 for all."""
    if rules.stratified:
        return label_codes(rules.target)[rows]
    if not by_quantile(rules):
        return np.zeros(len(rows), np.int64)
    values = np.asarray(rules.target.data.to_numpy(zero_copy_only=False), np.float64)[rows]
    strata = max(1, min(QUANTILES, len(rows) // count))
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return np.asarray(ranks * strata // max(1, len(rows)), np.int64)


def lone_rows(rules: Rules, rows: Rows) -> Rows:
    """Return the positions of rows whose class has no other row."""
    if not rules.stratified:
        return np.zeros(0, np.int64)
    _, places, counts = np.unique(label_codes(rules.target)[rows], return_inverse=True, return_counts=True)
    return np.flatnonzero(counts[places] == 1)


def _time_blocks(rules: Rules, rows: Rows, count: int) -> Rows:
    """Return the period of each row, 0 for the earliest: `count` + 1 periods, or fewer if there are fewer times.

    Periods have about equal numbers of rows; rows of one time are in one period.
    """
    ticks = rules.moments.ticks[rows]
    times, firsts = np.unique(np.sort(ticks), return_index=True)
    left, starts = len(times) - 1, list[int]()
    for block in range(1, min(count, left) + 1):
        nearest = int(np.abs(firsts - len(rows) * block / (count + 1)).argmin())
        after, until = (starts[-1] if starts else 0) + 1, left - (min(count, left) - block)
        starts.append(min(max(nearest, after), until))
    return np.searchsorted(times[starts], ticks, side="right")


def _rolling(rules: Rules, rows: Rows, blocks: Rows, judged: Rows) -> Iterator[Pair]:
    for block in range(1, int(blocks.max(initial=0)) + 1):
        judge = rows[judged == block]
        learn = before(rows[blocks < block], judge, rules.reach)
        if len(judge) and len(learn):
            yield learn, judge
