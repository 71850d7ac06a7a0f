"""Intervals: the bias-corrected bootstrap, which covers the truth about as often as it says."""

import numpy as np
import pytest
from outcomes import ONE_CLASS, outcome

from sensorium.evaluate import Evaluation, evaluate_outcome
from sensorium.evaluate.bootstrap import correct_bias, interval, interval_around, pick_runs, resamples
from sensorium.metrics import Outcome, metrics_of, score

pytestmark = pytest.mark.unit


def test_a_resample_equals_repeating_rows():
    right = np.random.default_rng(1).random(80) < 0.7
    drawn = np.concatenate(list(resamples(80)))
    assert drawn.shape == (1000, 80)
    assert (drawn.sum(1) == 80).all()
    by_hand = [np.repeat(right, counts.astype(int)).mean() for counts in drawn]
    assert score("accuracy", outcome(right), drawn) == pytest.approx(np.array(by_hand))


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


def classified(random, rows, classes, rare=0.0):
    """Rows of classes of which the later ones are rarer (by a power law) and harder to tell apart."""
    shares = np.arange(1, classes + 1.0) ** -rare
    truth = random.choice(classes, rows, p=shares / shares.sum())
    logits = random.normal(size=(rows, classes))
    logits[np.arange(rows), truth] += np.linspace(4, 1, classes)[truth]
    scores = np.exp(logits - logits.max(1, keepdims=True))
    return Outcome(truth, scores / scores.sum(1, keepdims=True), scores.argmax(1))


def test_intervals_of_many_classes_with_few_rows_contain_the_value():
    """Average precision rises with copies of rows: its percentile interval lies above the value."""
    made = classified(np.random.default_rng(0), 900, 300, rare=0.5)
    drawn = np.concatenate([score("average_precision", made, block) for block in resamples(900, cells=4_000_000)])
    found = evaluate_outcome(made, metrics_of("multiclass"))
    assert interval(drawn)[0] > found.metrics["average_precision"]
    for name, (low, high) in found.intervals.items():
        assert low <= found.metrics[name] <= high
    assert found.intervals["average_precision"][0] < found.metrics["average_precision"] - 0.03


COVERED = ("f1_macro", "balanced_accuracy")
FEW, LONG_TAIL, MANY = (4, 200, 0.0), (30, 900, 1.0), (100, 1000, 0.0)  # classes, rows, power of the shares


@pytest.mark.slow
@pytest.mark.parametrize(("classes", "rows", "rare"), [FEW, LONG_TAIL, pytest.param(*MANY, marks=pytest.mark.slow)])
def test_intervals_of_macro_means_cover_the_population(classes, rows, rare):
    random = np.random.default_rng(classes)
    population = classified(random, 100_000, classes, rare)
    truth = {name: score(name, population)[0] for name in COVERED}
    covered, samples = dict.fromkeys(COVERED, 0), 60
    for seed in range(samples):
        found = evaluate_outcome(classified(random, rows, classes, rare), COVERED, seed)
        for name, (low, high) in found.intervals.items():
            covered[name] += low <= truth[name] <= high
    for name in COVERED:
        assert 0.87 <= covered[name] / samples <= 1.0


def test_bias_is_measured_by_the_median_and_removed_twice():
    drawn = np.array([1.0, 2.0, 3.0, np.nan, 4.0, 50.0])
    assert correct_bias(drawn, 2.5) == pytest.approx([0.0, 1.0, 2.0, np.nan, 3.0, 49.0], nan_ok=True)
    assert correct_bias(np.arange(5.0), 2.0).tolist() == list(range(5))
    assert correct_bias(drawn, np.nan) == pytest.approx(drawn, nan_ok=True)
    assert interval_around(np.full(9, 3.0), 2.0) == (2.0, 3.0)
    assert np.isnan(interval_around(np.full(9, np.nan), 2.0)).all()


@pytest.mark.parametrize(("name", "wrong"), [("accuracy", 0), ("balanced_accuracy", 0), ("brier", 1)])
def test_an_interval_ends_at_the_best_possible_value(name, wrong):
    right = np.arange(60) >= wrong
    made = outcome(right)
    made = Outcome(made.truth, np.eye(2)[made.predicted], made.predicted)
    low, high = evaluate_outcome(made, [name]).intervals[name]
    assert (low if name == "brier" else high) == (0.0 if name == "brier" else 1.0)
