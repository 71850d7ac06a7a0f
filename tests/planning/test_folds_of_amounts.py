"""Folds of a regression or of counts: an amount is no class, also if it is a whole number that no other row has."""

import numpy as np
import pytest

from sensorium.config import Config
from sensorium.planning import cut_folds, make_plan, plan_folds
from sensorium.runtime.progress import Silent
from sensorium.split import FoldOptions
from sensorium.table import open_table

COUNTS = np.r_[np.repeat(np.arange(12), 20), 1000 + np.arange(20)]
TABLE = {"x": np.random.default_rng(0).normal(size=len(COUNTS)), "y": COUNTS}


@pytest.fixture(params=["regression", "count"])
def config(request):
    return Config.gather({"target": "y", "task": request.param, "train": {"outliers": "keep"}})


def test_a_blend_judges_every_whole_amount(config):
    plan = make_plan(open_table(TABLE), config, Silent())
    judged = np.concatenate([fold.judge for fold in cut_folds(plan, 5)])
    assert np.array_equal(np.sort(judged), np.union1d(plan.rows("train"), plan.rows("validation")))


def test_a_cross_validation_tests_every_whole_amount(config):
    found = plan_folds(open_table(TABLE), config, Silent(), FoldOptions(4))
    tested = np.concatenate([plan.split.rows("test") for plan in found.plans])
    assert np.array_equal(np.sort(tested), np.arange(len(COUNTS)))
    assert not [told for told in found.findings if "never tested" in told.reason]
