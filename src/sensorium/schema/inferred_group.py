"""Infer the column of groups if a column names the split and keeps groups apart, such as all rows of a patient.

Folds, validation rows and intervals then keep the groups together too.
"""

from __future__ import annotations

import numpy as np

from sensorium.config import CALIBRATION_FOLDS, Config, as_yaml, set_value
from sensorium.findings import Problem
from sensorium.schema._split_column import split_column
from sensorium.schema.groups import groups_rows
from sensorium.split import SPLITS, group_codes, named_codes, split_groups, whole_groups
from sensorium.table import Column, Rows, Table

MIN_GROUPS = CALIBRATION_FOLDS  # of training and validation rows: fewer do not make the folds of a blend
MIN_VALIDATION_GROUPS = 2  # one half of the validation rows may select and the other calibrate
TRAIN, VALIDATION = SPLITS.index("train"), SPLITS.index("validation")


def with_inferred_group(table: Table, target: Column, config: Config) -> tuple[Config, list[Problem]]:
    """Return the settings with `split.group` set to a column that the named split keeps apart, and a finding.

    A column is used if its name suggests that it identifies a person or thing, some of them have several rows, and
    none has rows in two splits. Of several such columns, the one with the fewest groups is used. Nothing changes if
    `split.group` is set, also to null, if `split.time` is set, or if no column names the split.

    Args:
        table: the rows.
        target: its label column; rows without a label do not count.
        config: the settings.

    Raises:
        SchemaError: the split column has unknown words.
    """
    name = split_column(table, config)
    if name is None or config.split.time or "group" in config.split.model_fields_set:
        return config, []
    codes = np.where(target.present, named_codes(table.column(name)), -1)
    found = dict[str, int]()
    for other in table.columns:
        column = table.column(other)
        if other in (name, config.target) or not (groups_rows(column) and (column.is_string or column.is_number)):
            continue
        if number := _kept_apart(column, codes):
            found[other] = number
    if not found:
        return config, []
    group = min(found, key=lambda key: found[key])
    split = config.split.model_copy(update={"column": name, "group": group})
    return config.model_copy(update={"split": split}), [_finding(group, name, found[group])]


def _kept_apart(column: Column, codes: Rows) -> int:
    """Return the number of groups of rows with a split; 0 if one is in several splits, or if they are too few."""
    groups = whole_groups(group_codes(column))
    known = np.flatnonzero(codes >= 0)
    learning = known[(codes[known] == TRAIN) | (codes[known] == VALIDATION)]
    validation = known[codes[known] == VALIDATION]
    if len(np.unique(groups[learning])) < MIN_GROUPS:
        return 0
    if len(validation) and len(np.unique(groups[validation])) < MIN_VALIDATION_GROUPS:
        return 0
    if len(split_groups(groups[known], codes[known])):
        return 0
    return len(np.unique(groups[known]))


def _finding(group: str, name: str, number: int) -> Problem:
    reason = f"rows are grouped by this column: column {name!r} puts no {group} into two splits ({number:,} groups). "
    reason += "Folds and validation rows taken from training rows keep its groups together, and intervals resample them"
    cure = f"{set_value('split.group', 'null')} treats rows as independent; "
    cure += f"{set_value('split.group', as_yaml(group))} sets the column"
    return Problem(None, group, reason, cure)
