"""Validation rows of a large table: some select, the others are held out."""

import numpy as np

from sensorium.config import Config
from sensorium.planning import cut_folds, make_plan
from sensorium.runtime.progress import Silent
from sensorium.table import open_table

ROWS = 120


def one_fold(**split):
    """Return the plan of rows whose periods of six days begin one day after the other, and its only fold."""
    random = np.random.default_rng(0)
    day = np.arange(ROWS)
    table = {"x": random.normal(size=ROWS), "from": day, "to": day + 5, "label": random.permutation(ROWS) % 2}
    plan = make_plan(open_table(table), Config.gather({"target": "label", "split": split}), Silent())
    (fold,) = cut_folds(plan, 1)
    return plan, fold


def test_half_of_the_validation_rows_are_held_out():
    plan, fold = one_fold(validation=0.4)
    assert len(fold.judge) == len(plan.rows("validation")) / 2
    assert not np.intersect1d(fold.learn, fold.judge).size
    assert np.array_equal(np.union1d(fold.learn, fold.judge), np.union1d(plan.rows("train"), plan.rows("validation")))


def test_held_out_rows_are_the_latest_and_overlap_with_no_other():
    plan, fold = one_fold(validation=0.4, time="from", span=["from", "to"])
    day = plan.used  # the rows are in order of time
    select = np.intersect1d(fold.learn, plan.rows("validation"))
    assert len(select) and len(fold.judge)
    assert day[fold.learn].max() + 5 < day[fold.judge].min()
    assert set(fold.learn) - set(select) == set(plan.rows("train"))
