"""Intervals: the percentile bootstrap, which covers the truth about as often as it says."""

import numpy as np
import pytest
from outcomes import ONE_CLASS, outcome

from sensorium.evaluate import Evaluation, evaluate_outcome
from sensorium.evaluate.bootstrap import interval, pick_runs, resamples

pytestmark = pytest.mark.unit


def test_an_interval_equals_resampling_row_by_row():
    right = np.random.default_rng(1).random(80) < 0.7
    drawn = np.concatenate(list(resamples(80)))
    assert drawn.shape == (1000, 80)
    assert (drawn.sum(1) == 80).all()
    by_hand = [np.repeat(right, counts.astype(int)).mean() for counts in drawn]
    low, high = evaluate_outcome(outcome(right), ["accuracy"]).intervals["accuracy"]
    assert (low, high) == pytest.approx(np.quantile(by_hand, [0.025, 0.975]))


def test_large_tables_are_resampled_in_blocks_of_the_same_draws():
    few, many = (np.concatenate(list(resamples(rows, 50))) for rows in (30, 30_000))
    assert few.shape == (50, 30)
    assert many.shape == (50, 30_000)
    assert (many.sum(1) == 30_000).all()
    assert not np.array_equal(many[0], many[1])


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    random, covered = np.random.default_rng(0), 0
    for seed in range(200):
        found = evaluate_outcome(outcome(random.random(150) < 0.8), ["accuracy"], seed)
        low, high = found.intervals["accuracy"]
        covered += low <= 0.8 <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_what_is_not_defined_has_no_interval_and_is_null_in_json():
    found = evaluate_outcome(ONE_CLASS, ["roc_auc", "accuracy"]).to_json()
    assert found["metrics"] == {"roc_auc": None, "accuracy": 1.0}
    assert found["intervals"]["roc_auc"] == [None, None]


def test_an_evaluation_knows_how_many_rows_it_saw():
    found = evaluate_outcome(outcome([True] * 7), ["accuracy"])
    assert isinstance(found, Evaluation)
    assert found.n == 7


@pytest.mark.parametrize("runs", [2, 3, 5])
def test_the_mean_of_drawn_runs_varies_as_the_mean_of_runs_does(runs):
    values = np.random.default_rng(runs).normal(size=runs)
    drawn = values[pick_runs(runs, 40_000, np.random.default_rng(0))].mean(0)
    assert drawn.var() == pytest.approx(values.var(ddof=1) / runs, rel=0.05)
    assert drawn.mean() == pytest.approx(values.mean(), abs=0.02)


def test_a_single_run_is_always_drawn():
    assert (pick_runs(1, 5, np.random.default_rng(0)) == 0).all()


def test_an_interval_needs_half_of_the_resamples():
    assert interval(np.array([3.0, np.nan])) == (3.0, 3.0)
    assert np.isnan(interval(np.array([3.0, np.nan, np.nan]))).all()
    assert interval(np.arange(101.0), 0.9) == pytest.approx((5.0, 95.0))
