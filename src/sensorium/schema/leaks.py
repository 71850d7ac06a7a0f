"""Find possible data leakage: columns written after the outcome, or shared by training and test rows.

Check these hints: a column that truly predicts the label in advance looks the same.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pyarrow as pa

from sensorium.config import Config, exclude_column
from sensorium.findings import ColumnPlan, Problem, Unreadable
from sensorium.schema._split_column import split_column
from sensorium.schema.copies import Sides, value_ids
from sensorium.schema.groups import count_split_groups, group_caution, group_reason, groups_rows, keep_together
from sensorium.table import Column, Rows, Table, evenly_spaced, is_encoded_file

LOOKED_AT = 2000  # rows
REPEATED = 10  # occurrences from which a value or a word can tell a label by more than luck
LUCK = 1e-6  # a pure value is remarkable where chance would make it so more seldom
TELLING = 0.3  # share of rows in which a remarkable value or word occurs
EXACT = 0.999  # correlation from which a number gives the target away
FEW = 50  # different values of a column or target up to which one is guessed from the other
SAVED = 0.5  # share of wrong guesses that a column saves if it predicts the target too well
GAP, FILLED = "a gap", "a value"
KNOWN = "use the column only if it is known at prediction time"


def add_hints(table: Table, plans: Iterable[ColumnPlan], config: Config) -> list[ColumnPlan]:
    """Add a caution to columns that predict the target too well, and to columns whose rows belong together."""
    assert config.target
    target = table.column(config.target)
    rows = np.flatnonzero(target.present)
    rows = rows[evenly_spaced(len(rows), LOOKED_AT)]
    labels = [part.take(rows) for part in target.parts.values() or [target]]
    at_random = not (split_column(table, config) or config.split.group or config.split.time)
    found = []
    for plan in plans:
        column = table.column(plan.name)
        column = column if len(rows) == len(column) else column.take(rows)
        hints = [plan.caution]
        if at_random and plan.name != config.target:
            hints.append(group_caution(column))
        if plan.modality:
            hints += [_give_away(column, part) for part in labels]
        found.append(replace(plan, caution="; ".join(filter(None, hints))))
    return found


def leakage_findings(table: Table, plans: Iterable[ColumnPlan], sides: Sides, config: Config) -> list[Problem]:
    """Return findings for columns that predict the target alone, and for groups in several splits."""
    assert config.target
    target, found = table.column(config.target), list[Problem]()
    for plan in without_role(plans, config):
        column = table.column(plan.name)
        reason = predicts_alone(column, target) if plan.modality else ""
        if reason:
            found.append(Problem(None, plan.name, reason, exclude_column(plan.name)))
        if groups_rows(column) and (split_groups := count_split_groups(column, sides)):
            found.append(Problem(None, plan.name, group_reason(column, split_groups), keep_together(plan.name)))
    return found


def without_role(plans: Iterable[ColumnPlan], config: Config) -> list[ColumnPlan]:
    """Return the columns that have no role in the split and are not the target, and features that group the rows."""
    split = config.split
    roles = (config.target, split.group, split.time, split.column)
    return [plan for plan in plans if plan.name not in roles or (plan.name == split.group and plan.modality)]


def predicts_alone(column: Column, target: Column) -> str:
    """Describe a column that halves the wrong guesses: learned on every other row, counted on the rest."""
    if not 1 < column.distinct <= FEW or not 1 < target.distinct <= FEW or column.is_list or target.is_list:
        return ""
    cells, labels = value_ids(column), target.once(value_ids)
    rows = np.flatnonzero((cells >= 0) & (labels >= 0))
    blind = _wrong(np.zeros(len(rows), np.int64), labels[rows])
    seen = _wrong(cells[rows], labels[rows])
    if len(rows) < 2 * FEW or seen > (1 - SAVED) * blind:
        return ""
    reason = f"{column.name} alone predicts {1 - seen:.0%} of the labels (the most common label: {1 - blind:.0%}); "
    return reason + KNOWN


def _wrong(cells: Rows, labels: Rows) -> float:
    """Return the share of odd rows whose label is not the most common one of their cell in even rows."""
    counts = np.zeros((cells.max(initial=0) + 1, labels.max(initial=0) + 1))
    np.add.at(counts, (cells[::2], labels[::2]), 1)
    return float((counts.argmax(1)[cells[1::2]] != labels[1::2]).mean()) if len(labels) > 1 else 0.0


def _give_away(column: Column, target: Column) -> str:
    leak = _leak(column, target) or _gaps_tell(column, target)
    if not leak:
        return ""
    return f"possible data leakage: {leak}; {KNOWN}, else {exclude_column(column.name)}"


def _leak(column: Column, target: Column) -> str:
    """Describe how the column leaks the target; empty if it does not."""
    both = np.flatnonzero(column.present & target.present)
    if len(both) < REPEATED or column.is_list or target.is_list or _names_files(column):
        return ""
    cells, labels = (column, target) if len(both) == len(column) else (column.take(both), target.take(both))
    if target.is_float or (target.is_integer and target.distinct > len(both) / REPEATED):
        return _same_value(cells, labels)
    return _telling(value_ids(cells), cells.data, labels.once(value_ids), _words if column.is_string else _value)


def _gaps_tell(column: Column, target: Column) -> str:
    """Describe a leak by presence: a value that is noted only after the outcome."""
    if target.is_list or target.is_float or column.present.all() or target.distinct > len(target.values) / REPEATED:
        return ""
    labels = target.once(value_ids)
    filled = column.present[labels >= 0].astype(np.int64)
    return _telling(filled, pa.array(np.where(filled, FILLED, GAP)), labels[labels >= 0], _value)


def _words(cell: str) -> set[str]:
    return set(re.findall(r"\w+", cell.lower()))


def _value(cell: str) -> set[str]:
    return {cell}


def _names_files(column: Column) -> bool:
    """Return whether the cells are paths, data URLs or base64 of files: a model learns from the files."""
    if not column.is_string:
        return False
    first = column.sample(1)[0]
    try:
        return is_encoded_file(first) or column.files.path(first).is_file()
    except Unreadable:
        return False


def _same_value(column: Column, target: Column) -> str:
    if not column.is_number:
        return ""
    x, y = (np.asarray(c.data.cast(pa.float64(), safe=False), dtype=np.float64) for c in (column, target))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return ""
    x, y = (values / (np.abs(values).max() or 1) for values in (x, y))  # so that squares of huge numbers stay finite
    if not (x.std() and y.std()):
        return ""
    together = float(np.corrcoef(x, y)[0, 1])
    return f"its correlation with the target is {together:.4f}" if abs(together) >= EXACT else ""


def _telling(cells: Rows, data: pa.Array, labels: Rows, parts: Callable[[str], set[str]]) -> str:
    """Describe parts of cells that occur with one label only, more often than chance explains.

    Args:
        cells: numbers of the cells, the same for equal cells.
        data: the cells.
        labels: numbers of the labels.
        parts: returns the values or words of a cell; it is called once per different cell.
    """
    share = np.bincount(labels) / len(labels)
    _, first, places, sizes = np.unique(cells, return_index=True, return_inverse=True, return_counts=True)
    if parts is _value and sizes.max() < REPEATED:
        return ""
    parted = [parts(str(cell)) for cell in data.take(pa.array(first)).to_pylist()]
    pairs, counts = np.unique(places * len(share) + labels, return_counts=True)
    beside: dict[str, Counter[int]] = defaultdict(Counter)
    for cell, label, count in zip(*(found.tolist() for found in (*np.divmod(pairs, len(share)), counts)), strict=True):
        for part in parted[cell]:
            beside[part][label] += count
    pure = {}
    for part, labelled in beside.items():
        (label, count), *others = labelled.items()
        if not others and count >= REPEATED and share[label] ** count < LUCK:
            pure[part] = count
    covered = int(sizes[[not own.isdisjoint(pure) for own in parted]].sum())
    if covered < TELLING * len(cells):
        return ""
    examples = ", ".join(repr(part) for part in sorted(pure, key=lambda part: (-pure[part], part))[:3])
    more = " and others" if len(pure) > 3 else ""
    rows = f"{covered / len(cells):.0%} of the rows"
    if len(pure) == 1:
        return f"{examples} occurs with one label only; {rows} contain it"
    return f"{examples}{more} each occur with one label only; {rows} contain one of them"
