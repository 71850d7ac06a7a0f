"""Give the rows of a prepared table other roles: those of a fold, or validation rows that are learned from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.planning._plan import Plan
from sensorium.planning._prepared import PreparedTable
from sensorium.split import SPLITS, Fold, FoldOptions, Folds, make_folds
from sensorium.table import Rows
from sensorium.tasks import is_value

UNUSED = -1  # code of a row without a role
HELD_OUT = 2  # parts of the validation rows: one selects the epoch, the other is only predicted


def cut_folds(plan: Plan, count: int) -> Folds:
    """Cut the training and validation rows into folds, by the rules of the split; positions among the decoded rows.

    With one fold, the training rows and half of the validation rows are learned from, and the other half is predicted.
    In order of time, it is the last third that is predicted, without overlapping periods if `split.span` is set. Only
    rows with a usable label are cut: each fold has some.

    Raises:
        SchemaError: there are too few rows, groups or times.
    """
    train, validation = (plan.used[plan.rows(name)] for name in ("train", "validation"))
    if count > 1:
        return _cut(plan, np.union1d(train, validation), count).within(plan.used)
    last = _cut(plan, validation, HELD_OUT).folds[-1]
    fold = Fold(np.union1d(train, last.learn), last.judge)
    return Folds((fold,), 1, "held-out validation rows").within(plan.used)


def _cut(plan: Plan, rows: Rows, count: int) -> Folds:
    labels, config = plan.labels, plan.config
    continuous, options = is_value(labels.task_name), FoldOptions(folds=count)
    return make_folds(
        plan.table, labels.column, rows, config.split, options=options, seed=config.seed, continuous=continuous
    )


def at_fold(data: PreparedTable, fold: Fold) -> PreparedTable:
    """Return the table with another split: the rows that a fold predicts are its test rows.

    The training and validation rows among those that it learns from keep their roles; if there are validation rows
    only, as with few groups, all of them are training rows. Other rows, among them the test rows of the table, have
    none.
    """
    plan, train = data.plan, SPLITS.index("train")
    codes = np.full_like(plan.split.codes, UNUSED)
    learn = plan.used[fold.learn]
    has_training_rows = (plan.split.codes[learn] == train).any()
    codes[learn] = plan.split.codes[learn] if has_training_rows else train
    codes[plan.used[fold.judge]] = SPLITS.index("test")
    return _with_codes(data, codes)


def with_validation_learned(data: PreparedTable) -> PreparedTable:
    """Return the table with the validation rows among the training rows."""
    codes = data.plan.split.codes
    return _with_codes(data, np.where(codes == SPLITS.index("validation"), SPLITS.index("train"), codes))


def _with_codes(data: PreparedTable, codes: npt.NDArray[Any]) -> PreparedTable:
    plan = data.plan
    return replace(data, plan=replace(plan, split=replace(plan.split, codes=codes.astype(np.int8))))
