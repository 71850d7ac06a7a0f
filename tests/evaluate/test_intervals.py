"""Intervals of proportions, means and other metrics, and the reports of few rows."""

import json

import numpy as np
import pytest
from outcomes import ONE_CLASS, outcome
from scipy.stats import binomtest, bootstrap
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from sensorium.errors import ConfigError
from sensorium.evaluate import evaluate_outcome, requested_metrics, score_classes
from sensorium.metrics import Outcome, Part, bias_of, default_metrics, metrics_of
from sensorium.testing.metrics import make_outcome

pytestmark = pytest.mark.unit


def valued(errors, groups=None):
    """Rows whose predictions differ from the truth by these errors."""
    truth = np.linspace(0, 10, len(errors))
    return Outcome(truth, truth + errors, truth + errors, groups=groups)


@pytest.mark.parametrize("correct", [0, 1, 37, 80])
def test_interval_of_a_proportion_is_wilsons(correct):
    """SciPy's interval; it has a width even if all rows are correct."""
    expected = binomtest(correct, 80).proportion_ci(method="wilson")
    found = evaluate_outcome(outcome(np.arange(80) < correct), ["accuracy"]).intervals["accuracy"]
    assert found == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_recall_and_specificity_count_rows_of_their_class():
    truth = np.repeat([0, 1], [60, 40])
    predicted = np.concatenate([np.arange(60) < 6, np.arange(40) < 30]).astype(int)
    made = Outcome(truth, np.eye(2)[predicted], predicted)
    found = evaluate_outcome(made, ["recall", "specificity", "precision"]).intervals
    for name, correct, rows in (("recall", 30, 40), ("specificity", 54, 60), ("precision", 30, 36)):
        expected = binomtest(correct, rows).proportion_ci(method="wilson")
        assert found[name] == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_groups_of_equal_rows_count_once():
    """Thirty groups of ten copies of a row: the interval is about that of thirty rows."""
    right = np.repeat(np.arange(30) < 24, 10)
    made = outcome(right).grouped(np.repeat(np.arange(30), 10))
    low, high = evaluate_outcome(made, ["accuracy"]).intervals["accuracy"]
    expected = binomtest(24, 30).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.02)
    assert high - low > expected.high - expected.low  # Student's t, not the normal distribution


def test_interval_of_a_skewed_mean_reaches_further_up_than_percentiles():
    """Rare large errors: the studentized bootstrap expects more of them than the sample has."""
    errors = np.random.default_rng(0).lognormal(0, 1.5, 300)
    low, high = evaluate_outcome(valued(errors), ["mae"]).intervals["mae"]
    percentiles = bootstrap((errors,), np.mean, method="percentile", n_resamples=2000, random_state=0)
    value = errors.mean()
    assert low < value < high
    assert high > percentiles.confidence_interval.high
    assert high - value > 1.2 * (value - low)


@pytest.mark.parametrize(("name", "of_mean"), [("rmse", np.sqrt), ("mae", np.asarray)])
def test_interval_of_a_mean_is_students_if_errors_are_not_skewed(name, of_mean):
    errors = np.tile([1.0, 2.0, 3.0], 100)
    values = errors**2 if name == "rmse" else errors
    margin = 1.968 * values.std(ddof=1) / np.sqrt(300)
    found = evaluate_outcome(valued(errors), [name]).intervals[name]
    assert found == pytest.approx(of_mean([values.mean() - margin, values.mean() + margin]), abs=0.03)


def test_interval_of_r2_and_rmse_of_huge_amounts_is_finite():
    truth = np.linspace(-1e200, 1e200, 40)
    scores = truth + np.random.default_rng(0).normal(0, 1e199, 40)
    found = evaluate_outcome(Outcome(truth, scores, scores), ["r2", "rmse"])
    for name, (low, high) in found.intervals.items():
        assert low <= found.metrics[name] <= high


def calibrated(random, rows, groups=None):
    """Two classes whose probabilities are those of the labels."""
    positive = random.beta(2, 2, rows)
    truth = (random.random(rows) < positive).astype(int)
    return Outcome(truth, np.stack([1 - positive, positive], 1), (positive >= 0.5).astype(int), groups=groups)


@pytest.mark.parametrize("name", ["ece", "ece_adaptive"])
def test_interval_of_a_calibration_error_allows_for_its_bias(name):
    """The error of calibrated probabilities is due to chance: intervals of almost all samples begin at 0."""
    random, lows = np.random.default_rng(0), []
    for seed in range(5):
        found = evaluate_outcome(calibrated(random, 300), [name], seed)
        assert found.metrics[name] > 0.02
        assert found.intervals[name][0] <= found.metrics[name] <= found.intervals[name][1]
        lows.append(found.intervals[name][0])
    assert sorted(lows)[:4] == [0.0] * 4
    wrong = calibrated(random, 1000)
    wrong = Outcome(1 - wrong.truth, wrong.scores, wrong.predicted)
    assert evaluate_outcome(wrong, [name]).intervals[name][0] > 0.2


def test_copies_of_a_row_are_one_row_for_the_bias_of_a_calibration_error():
    """The error of 30 groups of ten copies has a larger bias than that of 300 rows."""
    few = calibrated(np.random.default_rng(1), 30)
    copies = few.take(np.repeat(np.arange(30), 10))
    rows, groups = (bias_of("ece", own) for own in (copies, copies.grouped(np.repeat(np.arange(30), 10))))
    assert groups == pytest.approx(bias_of("ece", few))
    assert groups[0] > rows[0]
    assert groups[1] >= rows[1]


def test_metrics_of_a_target_use_its_labelled_rows_only():
    """Values of rows without a label are meaningless, and change neither a metric nor its interval."""
    random = np.random.default_rng(0)
    known = random.random(400) < 0.5
    whole = valued(random.normal(size=400))
    for noise in (0.0, 1e6):
        truth = np.where(known, whole.truth, noise)
        own = Outcome(truth, whole.scores, whole.scores)
        parts = {"price": Part("regression", "r2", known, own)}
        made = Outcome(np.zeros((400, 1)), np.zeros((400, 1)), np.zeros((400, 1)), parts)
        found = evaluate_outcome(made, ["price.r2", "price.mae", "price.spearman"], exactly=True)
        alone = evaluate_outcome(whole.take(np.flatnonzero(known)), ["r2", "mae", "spearman"])
        for name, (low, high) in alone.intervals.items():
            assert found.metrics[f"price.{name}"] == pytest.approx(alone.metrics[name])
            assert found.intervals[f"price.{name}"] == pytest.approx((low, high), abs=0.25 * (high - low))
    assert found.few == {"price.rows": int(known.sum())}


def test_a_target_without_labels_has_no_interval():
    part = Part("regression", "r2", np.zeros(60, bool), make_outcome("regression"))
    empty = np.zeros((60, 1))
    found = evaluate_outcome(Outcome(empty, empty, empty, {"price": part}), default_metrics("several"))
    assert "price.r2" in found.metrics
    assert all(np.isnan(ends).all() for ends in found.intervals.values())
    assert found.few == {"rows": 60}


@pytest.mark.parametrize(
    ("rows", "groups", "few"),
    [
        (299, None, {"rows": 299}),
        (300, None, {}),
        (300, 29, {"groups": 29}),
        (300, 30, {}),
        (60, 2, {"rows": 60, "groups": 2}),
    ],
)
def test_few_rows_or_groups_are_reported(rows, groups, few):
    made = outcome(np.arange(rows) % 3 > 0)
    made = made if groups is None else made.grouped(np.arange(rows) % groups)
    found = evaluate_outcome(made, ["accuracy"])
    assert found.few == few == found.to_json().get("few", {})
    assert ("few rows" in str(found)) == ("rows" in few)


def test_metrics_on_request_are_not_among_the_usual_ones():
    for task in ("binary", "multiclass", "multilabel", "ordinal", "regression"):
        usual, every = default_metrics(task), metrics_of(task)
        assert set(usual) < set(every)
        assert requested_metrics(["all"], task, {}) == every
    assert "cohen_kappa" in default_metrics("binary", "cohen_kappa")


def test_requested_metrics_are_those_of_each_target():
    targets = {"genre": "multiclass", "price": "regression", "rooms": "count"}
    assert requested_metrics(["mae", "genre.f1_macro"], "several", targets) == [
        "price.mae",
        "rooms.mae",
        "genre.f1_macro",
    ]
    assert requested_metrics(["mean_score", "mean_score"], "several", targets) == ["mean_score"]
    assert {"price.mape", "genre.log_loss"} < set(requested_metrics(["all"], "several", targets))


@pytest.mark.parametrize("name", ["acuracy", "mae", "price.mae"])
def test_unknown_metric_is_an_error(name):
    with pytest.raises(ConfigError, match=name.replace(".", r"\.")):
        requested_metrics([name], "binary", {})


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_metrics_of_classes_equal_scikit_learns(task):
    made = make_outcome(task, 1, 90)
    labels = [f"label {place}" for place in range(made.scores.shape[1])]
    found = score_classes(made, labels, {})
    precision, recall, f1, rows = precision_recall_fscore_support(made.truth, made.predicted, zero_division=0)
    assert [own.label for own in found] == labels
    assert [own.rows for own in found] == rows.tolist()
    for name, expected in (("precision", precision), ("recall", recall), ("f1", f1)):
        assert [own.metrics[name] for own in found] == pytest.approx(expected.tolist())
    truth = made.truth if task == "multilabel" else np.eye(len(labels))[made.truth]
    areas = [roc_auc_score(own, scores) for own, scores in zip(truth.T, made.scores.T, strict=True)]
    assert [own.metrics["roc_auc"] for own in found] == pytest.approx(areas)
    for own in found:
        assert all(low <= own.metrics[name] <= high for name, (low, high) in own.intervals.items())
    json.dumps([own.to_json() for own in found], allow_nan=False)


def test_a_class_that_does_not_occur_has_no_recall():
    absent = score_classes(ONE_CLASS, ["no", "yes"], {})[1]
    assert absent.rows == 0
    assert absent.to_json()["metrics"]["recall"] is None
    assert absent.to_json()["intervals"]["recall"] == [None, None]
    assert absent.metrics["specificity"] == 1.0


def test_classes_of_several_targets_name_their_target():
    made = make_outcome("several")
    names = {"multiclass": ["a", "b", "c", "d"], "regression": []}
    found = score_classes(made, [], names)
    assert [own.name for own in found] == ["multiclass=a", "multiclass=b", "multiclass=c", "multiclass=d"]
    assert found[0].to_json()["target"] == "multiclass"
    assert sum(own.rows for own in found) == made.parts["multiclass"].known.sum()
