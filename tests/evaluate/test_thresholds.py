"""Decision thresholds, against all cuts and scikit-learn's metrics."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score

from sensorium.config import DEFAULT_THRESHOLD, MIN_CLASS_ROWS, ThresholdRule
from sensorium.evaluate.thresholds import best_threshold, choose_thresholds
from sensorium.split.cross_fit import cross_fit_folds

pytestmark = pytest.mark.unit


def make_rows(rows=80, seed=0, *, decimals=2):
    """Labels and probabilities, some of them equal."""
    random = np.random.default_rng(seed)
    truth = random.random(rows) < 0.3
    scores = 1 / (1 + np.exp(1 - 1.5 * truth - random.normal(0, 1, rows)))
    return truth, np.round(scores, decimals)


def cuts_of(scores):
    """A threshold for every set of rows that a threshold can select."""
    values = np.unique(scores)
    return [*(values[:-1] + values[1:]) / 2, values[0] / 2, (values[-1] + 1) / 2]


def value_of(rule, truth, decided):
    (_, false_alarms), (missed, hits) = confusion_matrix(truth, decided, labels=[False, True])
    if rule.name == "f1":
        return f1_score(truth, decided, zero_division=0)
    if rule.name == "youden":
        return hits / truth.sum() - false_alarms / (~truth).sum()
    return -(rule.false_negative * missed + rule.false_positive * false_alarms)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("rule", ["f1", "youden", "fn=1,fp=1", "fn=7,fp=1", "fp=3,fn=1"])
def test_threshold_is_the_best_of_all_cuts(rule, seed):
    rule, (truth, scores) = ThresholdRule.parse(rule), make_rows(seed=seed)
    threshold, reason = best_threshold(rule, truth, scores)
    assert reason == "chosen"
    best = max(value_of(rule, truth, scores >= cut) for cut in cuts_of(scores))
    assert value_of(rule, truth, scores >= threshold) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 1.0])
def test_recall_is_reached_at_the_largest_threshold(level):
    truth, scores = make_rows()
    threshold, _ = best_threshold(ThresholdRule.parse(f"recall={level}"), truth, scores)
    reaching = [cut for cut in cuts_of(scores) if recall_score(truth, scores >= cut) >= level]
    assert threshold == pytest.approx(max(reaching))


@pytest.mark.parametrize("level", [0.4, 0.6, 0.75])
def test_precision_is_reached_at_the_smallest_threshold(level):
    truth, scores = make_rows()
    threshold, reason = best_threshold(ThresholdRule.parse(f"precision={level}"), truth, scores)
    reaching = [cut for cut in cuts_of(scores) if precision_score(truth, scores >= cut, zero_division=0) >= level]
    assert (threshold, reason) == (pytest.approx(min(reaching)), "chosen")


def test_precision_that_no_threshold_has_gives_the_highest_precision_and_is_reported():
    truth = np.tile([True, False], 20)
    scores = np.repeat(np.linspace(0.2, 0.8, 20), 2)
    threshold, reason = best_threshold(ThresholdRule.parse("precision=0.9"), truth, scores)
    assert reason == "not_reached"
    assert precision_score(truth, scores >= threshold) == 0.5


def test_costlier_misses_lower_the_threshold():
    truth, scores = make_rows(2000, decimals=6)
    rules = [ThresholdRule.parse(f"fn={cost},fp=1") for cost in (0.1, 1, 10)]
    thresholds = [best_threshold(rule, truth, scores)[0] for rule in rules]
    assert thresholds[0] > thresholds[1] > thresholds[2]


def test_threshold_of_calibrated_probabilities_is_close_to_that_of_the_costs():
    random = np.random.default_rng(0)
    scores = random.random(50_000)
    truth = random.random(50_000) < scores
    rule = ThresholdRule.parse("fn=4,fp=1")
    assert rule.best_for_probabilities == 0.2
    assert best_threshold(rule, truth, scores)[0] == pytest.approx(0.2, abs=0.03)


def test_neighbouring_probabilities_are_divided_exactly():
    low = 0.3
    high = np.nextafter(low, 1)
    truth, scores = np.array([False] * 5 + [True] * 5), np.array([low] * 5 + [high] * 5)
    threshold, _ = best_threshold(ThresholdRule.parse("f1"), truth, scores)
    assert ((scores >= threshold) == truth).all()


@pytest.mark.parametrize(
    ("rule", "reason", "value"),
    [("f1", "few_rows", DEFAULT_THRESHOLD), ("fn=3,fp=1", "expected_cost", 0.25), ("0.8", "fixed", 0.8)],
)
def test_few_rows_choose_no_threshold(rule, reason, value):
    truth = np.arange(100) < MIN_CLASS_ROWS - 1
    found = choose_thresholds(ThresholdRule.parse(rule), [(truth, truth * 0.9)], seed=0)
    assert (found.thresholds, found.reasons, found.measured) == ([value], [reason], {})


def test_each_label_has_a_threshold_of_its_own():
    columns = [make_rows(seed=seed) for seed in range(3)] + [(np.arange(80) < 3, np.linspace(0, 1, 80))]
    rule = ThresholdRule.parse("youden")
    found = choose_thresholds(rule, columns, seed=0)
    assert found.thresholds[:3] == [best_threshold(rule, *own)[0] for own in columns[:3]]
    assert found.reasons == ["chosen"] * 3 + ["few_rows"]


def test_measured_values_are_those_of_rows_that_did_not_choose():
    """Probabilities that say nothing: the best threshold of the rows themselves would gain, that of others cannot."""
    random = np.random.default_rng(0)
    truth, scores = random.random(60) < 0.5, random.random(60)
    rule = ThresholdRule.parse("youden")
    (_, after) = choose_thresholds(rule, [(truth, scores)], seed=0).measured["youden"]
    threshold, _ = best_threshold(rule, truth, scores)
    assert value_of(rule, truth, scores >= threshold) > 0.05 > 0 > after


def test_groups_stay_together_when_thresholds_are_measured():
    groups = np.random.default_rng(0).integers(0, 30, 200)
    folds = cross_fit_folds(200, groups, seed=3)
    assert all(len(np.unique(folds[groups == group])) == 1 for group in range(30))
    assert len(np.unique(folds)) == 5
    truth, scores = make_rows(200)
    found = choose_thresholds(ThresholdRule.parse("f1"), [(truth, scores)], seed=0, groups=groups)
    assert found.groups == 30
    assert found.measured != choose_thresholds(ThresholdRule.parse("f1"), [(truth, scores)], seed=0).measured
