"""Predictions of a constant are told from predictions that vary, also by little, and from weak ones that inform."""

import numpy as np
import pytest

from sensorium.evaluate.constant import mean_loss, predicts_constant, spread
from sensorium.metrics import Outcome, Part

pytestmark = pytest.mark.unit
ROWS = 400


def classes(truth, positive):
    scores = np.column_stack([1 - positive, positive])
    return Outcome(truth, scores, scores.argmax(1))


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture
def truth(random):
    return (random.random(ROWS) < 0.4).astype(np.int64)


@pytest.mark.parametrize("level", [0.0, 0.4, 0.999, 1.0])
def test_equal_predictions_are_a_constant_whatever_their_level(level, truth):
    assert predicts_constant(classes(truth, np.full(ROWS, level)))


def test_rounding_noise_does_not_hide_a_constant(truth, random):
    assert predicts_constant(classes(truth, 0.4 + 1e-3 * random.normal(size=ROWS)))


def test_predictions_that_vary_are_no_constant_even_if_they_are_wrong(truth, random):
    assert not predicts_constant(classes(truth, random.uniform(0.2, 0.6, ROWS)))
    assert not predicts_constant(classes(truth, np.where(truth == 1, 0.1, 0.9)))


def test_small_but_informative_differences_are_no_constant(truth):
    outcome = classes(truth, np.where(truth == 1, 0.41, 0.39))
    assert spread(outcome) < 1e-3
    assert not predicts_constant(outcome)
    assert predicts_constant(classes(truth, np.where(truth == 1, 0.39, 0.41)))  # informative the wrong way round


def test_a_rare_class_has_small_probabilities_without_a_collapse(random):
    truth = (np.arange(5000) % 100 == 0).astype(np.int64)
    positive = np.where(truth == 1, 0.015, 0.008) * random.uniform(0.8, 1.2, 5000)
    outcome = classes(truth, positive)
    assert spread(outcome) < 1e-3
    assert not predicts_constant(outcome)
    assert predicts_constant(classes(truth, random.permutation(positive)))


def test_an_outlier_does_not_make_good_amounts_look_constant(random):
    truth = random.normal(size=ROWS)
    truth[0] = 1e6
    scores = 0.8 * truth
    scores[0] = 1.0
    assert not predicts_constant(Outcome(truth, scores, scores))
    same = np.full(ROWS, 0.1) + 1e-4 * random.normal(size=ROWS)
    assert predicts_constant(Outcome(truth, same, same))


def test_amounts_that_are_mostly_equal_are_judged_by_their_deviation():
    truth = np.where(np.arange(ROWS) % 50 == 0, 5.0, 0.0)
    assert not predicts_constant(Outcome(truth, 0.9 * truth, 0.9 * truth))
    assert predicts_constant(Outcome(truth, np.full(ROWS, 0.1), np.full(ROWS, 0.1)))


def test_labels_are_judged_together(random):
    truth = random.random((ROWS, 3)) < 0.3
    same = np.full((ROWS, 3), 0.3)
    assert predicts_constant(Outcome(truth, same, same > 0.5))
    one = same.copy()
    one[:, 2] = np.where(truth[:, 2], 0.8, 0.1)
    assert not predicts_constant(Outcome(truth, one, one > 0.5))


def test_several_targets_are_a_constant_only_if_all_are(truth):
    same, good = classes(truth, np.full(ROWS, 0.4)), classes(truth, np.where(truth == 1, 0.9, 0.1))
    known = np.arange(ROWS) % 3 > 0

    def joined(*outcomes):
        parts = {str(k): Part("binary", "accuracy", known, each) for k, each in enumerate(outcomes)}
        return Outcome(truth, np.zeros((ROWS, 0)), truth, parts)

    assert predicts_constant(joined(same, same))
    assert not predicts_constant(joined(same, good))
    assert mean_loss(joined(same, good)) == pytest.approx((mean_loss(joined(same)) + mean_loss(joined(good))) / 2)


def test_few_rows_and_a_single_label_say_nothing(truth):
    assert not predicts_constant(classes(truth[:9], np.full(9, 0.4)))
    assert not predicts_constant(classes(np.zeros(ROWS, np.int64), np.full(ROWS, 0.4)))
    assert np.isnan(mean_loss(classes(truth[:9], np.full(9, 0.4))))


def test_the_loss_of_amounts_is_a_share_of_that_of_the_median(random):
    truth = random.normal(5, 3, ROWS)
    median = np.full(ROWS, np.median(truth))
    assert mean_loss(Outcome(truth, median, median)) == pytest.approx(1)
    assert mean_loss(Outcome(truth, truth, truth)) == 0
