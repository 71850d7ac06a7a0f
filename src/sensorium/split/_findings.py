"""Findings about a split: groups in two splits, rows in none, fractions that could not be met."""

from __future__ import annotations

import numpy as np

from sensorium.findings import Problem, be, count
from sensorium.split._codes import UNUSED, Codes, split_groups
from sensorium.split._deal import Rules, Shares
from sensorium.table import Rows

EXAMPLES = 3
FAR = 2.0  # factor above or below the requested fraction from which a split is reported


def broken_groups(rules: Rules, codes: Codes, column: str) -> list[Problem]:
    """Report groups that the split column puts into several splits."""
    if not rules.config.group:
        return []
    used = np.flatnonzero(codes != UNUSED)
    names, first = np.unique(rules.groups[used], return_index=True)
    broken = np.searchsorted(names, split_groups(rules.groups[used], codes[used]))
    if not len(broken):
        return []
    examples = ", ".join(map(repr, rules.group.take(used[first[broken[:EXAMPLES]]]).strings.to_pylist()))
    groups = f"{len(broken):,} of {count(len(names), 'group')}"
    reason = f"column {column!r} puts {groups} into several splits (data leakage), such as {examples}"
    return [Problem(None, rules.group.name, reason, f"put each {rules.group.name} into one split in column {column!r}")]


def out_of_time(rules: Rules, codes: Codes, cure: str) -> list[Problem]:
    """Report training rows that are later than validation or test rows, if the settings split by time."""
    if not rules.config.time or rules.config.span:
        return []
    ticks, known = rules.moments.ticks, rules.moments.known
    train, held = np.flatnonzero((codes == 0) & known), np.flatnonzero((codes > 0) & known)
    late = int((ticks[train] >= ticks[held].min()).sum()) if len(held) else 0
    reason = f"{late:,} of {count(len(train), 'training row')} {be(late)} not earlier than the first "
    reason += "validation or test row"
    return [Problem(None, rules.time.name, reason, cure)] if late else []


def not_named(codes: Codes, labelled: Rows, column: str) -> list[Problem]:
    """Report rows with a label for which the split column is empty."""
    empty = int((codes[labelled] == UNUSED).sum())
    reason = f"the split column is empty in {empty:,} of {count(len(labelled), 'row')} with a label, which are not used"
    return [Problem(None, column, reason, "fill its cells to use them")] if empty else []


def lacking_groups(rules: Rules) -> list[Problem]:
    """Report rows without a group, and group names that were merged."""
    name, lacking = rules.group.name, int((rules.target.present & (rules.named_groups < 0)).sum())
    reason = f"the group column is empty in {count(lacking, 'row')} with a label: each is treated as a separate group"
    found = [Problem(None, name, reason, "fill its cells")] if lacking else []
    if rules.blanks:
        differs = "differs" if rules.blanks == 1 else "differ"
        reason = f"{count(rules.blanks, 'group name')} {differs} from another only by case or blanks"
        reason += " and {} as the same group".format("counts" if rules.blanks == 1 else "count")
        found.append(Problem(None, name, reason, "rename the groups if they are different"))
    return found


def left_out(rules: Rules, dealt: Codes) -> list[Problem]:
    """Report rows left out because they overlap in time with a split other than their group's."""
    config, gone = rules.config, int((dealt == UNUSED).sum())
    if not (config.span and config.group and gone):
        return []
    reason = f"{gone:,} of {len(dealt):,} rows are not used: they overlap in time with rows of another split"
    return [Problem(None, config.group, reason, "remove split.span or split.group to use them")]


def off_shares(rules: Rules, dealt: Codes, shares: Shares) -> list[Problem]:
    """Report splits that are empty, or far larger or smaller than requested."""
    rows, config = len(dealt), rules.config
    asked = dict(zip(("training", "validation", "test"), (1 - sum(shares), *shares), strict=True))
    sizes = dict(zip(asked, (int((dealt == code).sum()) for code in range(3)), strict=True))
    if not any(_is_far(sizes[name], share * rows) for name, share in asked.items()):
        return []
    found = ", ".join(f"{sizes[name]:,} {name}" for name in asked)
    wanted = ", ".join(f"{share:.0%}" for share in asked.values())
    why, cure = "", "change split.validation or split.test, or set another seed"
    if config.group:
        why = ", since groups are kept together"
        cure = "name the splits in a column (split.column), or set another seed"
    elif config.time:
        why, cure = ", since rows of one time are kept together", "change split.validation and split.test"
    reason = f"of {rows:,} rows, {found}: far from the requested fractions ({wanted}){why}"
    return [Problem(None, config.group or config.time or "", reason, cure)]


def _is_far(size: int, wanted: float) -> bool:
    return wanted > 0 and (size == 0 or size > FAR * wanted + 1 or size < wanted / FAR - 1)
