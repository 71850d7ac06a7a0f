"""Folds for cross-validation and out-of-fold predictions, by the rules of the split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sensorium.config import SplitConfig
from sensorium.errors import ConfigError, SchemaError
from sensorium.findings import Problem, be, count
from sensorium.split._codes import SPLITS, label_codes
from sensorium.split._deal import Rules
from sensorium.split._deal_folds import (
    Pair,
    by_quantile,
    group_folds,
    group_time_folds,
    lone_rows,
    random_folds,
    time_folds,
)
from sensorium.split._findings import not_named
from sensorium.split.spellings import named_codes
from sensorium.table import Column, Rows, Table

FEWEST_FOLDS = 2


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows of one fold; no row is in both parts.

    Attributes:
        learn: int64; the rows to learn from, in increasing order.
        judge: int64; the rows that are predicted by a model that did not learn from them, in increasing order.
    """

    learn: Rows
    judge: Rows


@dataclass(frozen=True, eq=False)
class Folds:
    """Folds of one or several repeats.

    Attributes:
        folds: those of the first repeat, then those of the second …
        count: number of folds of each repeat.
        how: description for the report.
        findings: problems, such as fewer folds than requested.
    """

    folds: tuple[Fold, ...]
    count: int
    how: str
    findings: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.folds)

    def __iter__(self) -> Iterator[Fold]:
        return iter(self.folds)

    @property
    def repeats(self) -> int:
        """Return how often each row is judged at most."""
        return len(self.folds) // self.count

    def within(self, rows: Rows) -> Folds:
        """Return the folds as positions in `rows`, which are in increasing order.

        Rows that are not among them, such as those with a label that cannot be used, are left out.
        """

        def positions(own: Rows) -> Rows:
            return np.searchsorted(rows, own[np.isin(own, rows)])

        return replace(self, folds=tuple(Fold(positions(fold.learn), positions(fold.judge)) for fold in self.folds))


@dataclass(frozen=True)
class FoldOptions:
    """Number of folds to cut rows into.

    Attributes:
        folds: number of folds, at least 2.
        repeats: how often the rows are cut anew, each time with another seed.
    """

    folds: int = 5
    repeats: int = 1


def make_folds(
    table: Table,
    target: Column,
    rows: Rows,
    config: SplitConfig,
    *,
    options: FoldOptions,
    seed: int,
    continuous: bool = False,
) -> Folds:
    """Cut labelled rows into folds, by the rules that split the table.

    Rows are drawn at random, stratified by class or by ten quantiles of a number (`split.stratify`); whole groups are
    drawn if `split.group` is set. If `split.time` is set, the origin rolls: rows are cut into periods, one more than
    there are folds, and each fold judges one period and learns from all earlier ones. `split.span` leaves out rows
    whose period reaches into the judged one (embargo). Without a time, each row is judged once per repeat, except one
    that is the only row of its class: every fold learns from it.

    Args:
        table: the rows.
        target: its label column.
        rows: int64; rows of the table that have a label, in increasing order.
        config: settings of the split: group, time, span, stratify. Shares and a split column play no part.
        options: number of folds and repeats.
        seed: random seed; the same arguments give the same folds.
        continuous: whether the target is a number; otherwise, few different whole numbers are classes.

    Raises:
        SchemaError: the rows do not make two folds, or cannot be ordered by time.
        ConfigError: folds by time are to be repeated.
    """
    rules = Rules(table, target, config, seed, continuous)
    if config.time and options.repeats > 1:
        raise ConfigError(
            "folds by time cannot be repeated: the order of the rows determines them",
            place="repeats",
            rule="1, if split.time is set",
            cure="use more folds instead of repeats",
        )
    number = min(options.folds, _limit(rules, rows))
    pairs = [_deal(rules, rows, number, repeat) for repeat in range(options.repeats if number >= FEWEST_FOLDS else 0)]
    found = len(pairs[0]) if pairs else 0
    if found < FEWEST_FOLDS:
        raise _too_few(rules, rows)
    folds = tuple(Fold(learn, judge) for repeat in pairs for learn, judge in repeat)
    return Folds(folds, found, _describe(rules, found, options.repeats), tuple(_findings(rules, rows, found, options)))


def development_rows(table: Table, target: Column, column: str | None) -> tuple[Rows, list[Problem]]:
    """Return the rows that cross-validation cuts into folds, and what it does with a split column.

    These are all rows with a label. If a column names the splits, only those that it names as training or validation
    rows: its test rows stay untouched for a final evaluation.

    Args:
        table: the rows.
        target: the label column.
        column: the column that names the splits; None without one.
    """
    labelled = np.flatnonzero(target.present)
    if column is None:
        return labelled, []
    codes = named_codes(table.column(column))
    test = int((codes[labelled] == SPLITS.index("test")).sum())
    rows = labelled[(codes[labelled] >= 0) & (codes[labelled] != SPLITS.index("test"))]
    reason = f"the column names splits: its {count(len(rows), 'training and validation row')} are cut into folds"
    reason += f", and its {count(test, 'test row')} {be(test)} not used" if test else ""
    cure = "remove the column from the table to cross-validate all rows" if test else ""
    return rows, [*not_named(codes, labelled, column), Problem(None, column, reason, cure)]


def _deal(rules: Rules, rows: Rows, number: int, repeat: int) -> list[Pair]:
    if rules.config.time:
        return (group_time_folds if rules.config.group else time_folds)(rules, rows, number)
    return (group_folds if rules.config.group else random_folds)(rules, rows, number, [rules.seed, repeat])


def _units(rules: Rules, rows: Rows) -> int:
    """Return the number of groups, or of rows that can be judged, of which each fold needs one."""
    if rules.config.group:
        return len(np.unique(rules.groups[rows]))
    return len(rows) if rules.config.time else len(rows) - len(lone_rows(rules, rows))


def _limit(rules: Rules, rows: Rows) -> int:
    """Return the largest possible number of folds."""
    units = _units(rules, rows)
    return min(units, len(np.unique(rules.moments.ticks[rows]))) - 1 if rules.config.time else units


def _too_few(rules: Rules, rows: Rows) -> SchemaError:
    config, units = rules.config, _units(rules, rows)
    finding = f"{count(len(rows), 'row')} with a label cannot be cut into {FEWEST_FOLDS} folds"
    if config.time:
        rule = (
            f"at least {FEWEST_FOLDS + 1} periods of {config.time!r} with rows to test and earlier rows to learn from"
        )
        return SchemaError(finding, place=rules.table.name, rule=rule, cure="use a longer period of time")
    unit = "group" if config.group else "row"
    rule = f"at least {FEWEST_FOLDS} {unit}s with a label" + ("" if config.group else " that other rows have as well")
    finding += f": {count(units, unit)} can be tested"
    return SchemaError(finding, place=rules.table.name, rule=rule, cure="collect more rows")


def _describe(rules: Rules, number: int, repeats: int) -> str:
    config = rules.config
    again = f", repeated {repeats} times" if repeats > 1 else ""
    if config.time:
        groups = f" and group ({config.group!r})" if config.group else ""
        embargo = ", without overlapping periods" if rules.reach else ""
        return f"{number} folds by time ({config.time!r}){groups} with a rolling origin{embargo}"
    strata = "by label" if rules.stratified else "by amount" if by_quantile(rules) else ""
    groups = f"by group ({config.group!r})" if config.group else ""
    words = " and ".join(filter(None, [groups, f"stratified {strata}" if strata else ""])) or "at random"
    return f"{number} folds{again}, {words}, seed {rules.seed}"


def _findings(rules: Rules, rows: Rows, found: int, options: FoldOptions) -> Iterator[Problem]:
    config, name = rules.config, rules.target.name
    if found < options.folds:
        unit = "groups" if config.group else "rows"
        reason = f"{found} folds instead of {options.folds}: "
        if config.time:
            reason += f"the {unit} have too few different times, or periods that overlap with the judged ones"
        else:
            reason += f"there are only {found} {unit} with a label"
        yield Problem(None, config.time or config.group or name, reason, f"use {found} folds: --folds {found}")
    if not rules.stratified or config.time:
        return
    sizes = np.unique(label_codes(rules.target)[rows], return_counts=True)[1]
    lone, few = int((sizes == 1).sum()), int(((sizes > 1) & (sizes < found)).sum())
    if lone and not config.group:
        reason = f"{count(lone, 'label')} with a single row {be(lone)} learned in every fold and never tested"
        yield Problem(None, name, reason, "collect more rows")
    if few:
        reason = f"{count(few, 'label')} with fewer rows than there are folds {be(few)} not tested in some of them"
        yield Problem(None, name, reason, "use fewer folds, or collect more rows")
