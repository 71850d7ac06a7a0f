"""Intervals: the percentile bootstrap, which covers the truth about as often as it says."""

import numpy as np
import pytest

from sensorium.evaluate import Evaluation, compare_outcomes, evaluate_outcome, verdict
from sensorium.evaluate.bootstrap import resamples
from sensorium.metrics import Outcome


def outcome(right, seed=0):
    """Rows of two classes answered rightly or not, as `right` says."""
    right = np.asarray(right, bool)
    truth = np.random.default_rng(seed).integers(0, 2, len(right))
    predicted = np.where(right, truth, 1 - truth)
    scores = np.where(predicted[:, None] == [0, 1], 0.8, 0.2)
    return Outcome(truth, scores, predicted)


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
    one_class = Outcome(np.zeros(20, int), np.tile([0.9, 0.1], (20, 1)), np.zeros(20, int))
    found = evaluate_outcome(one_class, ["roc_auc", "accuracy"]).to_json()
    assert found["metrics"] == {"roc_auc": None, "accuracy": 1.0}
    assert found["intervals"]["roc_auc"] == [None, None]


def test_a_model_does_not_differ_from_itself():
    same = outcome(np.random.default_rng(0).random(100) < 0.7)
    found = compare_outcomes(same, same, "accuracy")
    assert (found.value, found.interval, found.p) == (0, (0, 0), 1)


def test_a_clear_difference_is_shown_and_changes_sign_with_the_order():
    random = np.random.default_rng(0)
    good, bad = (outcome(random.random(300) < share) for share in (0.9, 0.6))
    found, turned = compare_outcomes(good, bad, "accuracy"), compare_outcomes(bad, good, "accuracy")
    assert found.interval[0] > 0
    assert found.p < 0.01
    assert turned.value == -found.value
    assert turned.interval == pytest.approx((-found.interval[1], -found.interval[0]))


def test_lower_errors_are_better():
    truth = np.random.default_rng(0).normal(size=200)
    near, far = (Outcome(truth, truth + shift, truth + shift) for shift in (0.1, 1.0))
    assert compare_outcomes(near, far, "rmse").value == pytest.approx(0.9)


def test_chance_is_not_called_a_difference():
    """Two coins of the same kind: at most about one pair in twenty may look different."""
    random, called = np.random.default_rng(0), 0
    for _ in range(100):
        pair = [outcome(random.random(120) < 0.7) for _ in range(2)]
        low, high = compare_outcomes(*pair, "accuracy").interval
        called += low > 0 or high < 0
    assert called <= 12


@pytest.mark.parametrize(
    ("shares", "words"), [((0.9, 0.6), "beats"), ((0.7, 0.7), "no difference shown"), ((0.6, 0.9), "fusing hurts")]
)
def test_the_verdict_says_what_the_interval_says(shares, words):
    random = np.random.default_rng(1)
    fused, single = (outcome(random.random(300) < share) for share in shares)
    sentence = verdict(compare_outcomes(fused, single, "accuracy"), "concat", "image", 1.5)
    assert words in sentence
    assert "95% interval" in sentence


def test_an_evaluation_knows_how_many_rows_it_saw():
    found = evaluate_outcome(outcome([True] * 7), ["accuracy"])
    assert isinstance(found, Evaluation)
    assert found.n == 7
