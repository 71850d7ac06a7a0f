"""Metrics of many classes with few rows each: equal to scikit-learn's, in time and memory that stay bounded."""

import tracemalloc

import numpy as np
import pytest
from sklearn import metrics as reference

from sensorium.evaluate import evaluate_outcome
from sensorium.metrics import Outcome, metrics_of, score
from tiers import tiered

pytestmark = pytest.mark.unit
RANKINGS = {"roc_auc": reference.roc_auc_score, "average_precision": reference.average_precision_score}


def many_classes(seed, classes=70, rows=160):
    """Rows whose scores tie, and classes without a row."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes - 5, rows)
    scores = random.integers(1, 6, (rows, classes)).astype(float)
    scores[np.arange(rows), truth] += random.integers(0, 3, rows)
    return Outcome(truth, scores / scores.sum(1, keepdims=True), scores.argmax(1))


def many_labels(seed, labels=30, rows=120):
    random = np.random.default_rng(seed)
    scores = random.integers(1, 20, (rows, labels)) / 20
    return Outcome(random.random((rows, labels)) < 0.05, scores, scores >= 0.5)


def weightings(seed, rows):
    """Plain, resampled and fractional weights."""
    random = np.random.default_rng(seed)
    return np.concatenate(
        [np.ones((1, rows)), random.multinomial(rows, [1 / rows] * rows, 2), random.random((2, rows))]
    )


def mean_over_classes(function, outcome, weights):
    """Scikit-learn's value of each class that has positive and negative rows of some weight."""
    truth = outcome.truth if outcome.is_multilabel else outcome.truth[:, None] == np.arange(outcome.scores.shape[1])
    values = [
        function(own, scores, sample_weight=weights)
        for own, scores in zip(truth.T, outcome.scores.T, strict=True)
        if weights[own].sum() and weights[~own].sum()
    ]
    return np.mean(values)


@pytest.mark.slow
@pytest.mark.parametrize("make", [many_classes, many_labels])
@pytest.mark.parametrize("name", RANKINGS)
@pytest.mark.parametrize("seed", tiered([0], [1, 2]))
def test_rankings_of_many_classes_equal_scikit_learns(name, make, seed):
    outcome = make(seed)
    weights = weightings(seed, len(outcome))
    expected = [mean_over_classes(RANKINGS[name], outcome, own) for own in weights]
    assert score(name, outcome, weights) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_counts_of_many_classes_equal_scikit_learns(seed):
    outcome = many_classes(seed)
    weights = weightings(seed, len(outcome))
    for name, function in (
        ("f1_macro", lambda w: reference.f1_score(outcome.truth, outcome.predicted, average="macro", sample_weight=w)),
        ("mcc", lambda w: reference.matthews_corrcoef(outcome.truth, outcome.predicted, sample_weight=w)),
        (
            "f1_weighted",
            lambda w: reference.f1_score(
                outcome.truth, outcome.predicted, average="weighted", sample_weight=w, zero_division=0
            ),
        ),
        (
            "balanced_accuracy",
            lambda w: reference.recall_score(
                outcome.truth,
                outcome.predicted,
                labels=np.unique(outcome.truth[w > 0]),
                average="macro",
                sample_weight=w,
            ),
        ),
        (
            "brier",
            lambda w: reference.brier_score_loss(
                outcome.truth, outcome.scores, sample_weight=w, labels=np.arange(70), scale_by_half=False
            ),
        ),
    ):
        rows = [own > 0 for own in weights]  # scikit-learn also counts classes of rows without weight, as 0
        expected = [
            function(own)
            if every.all() or name != "f1_macro"
            else reference.f1_score(
                outcome.truth[every], outcome.predicted[every], average="macro", sample_weight=own[every]
            )
            for own, every in zip(weights, rows, strict=True)
        ]
        assert score(name, outcome, weights) == pytest.approx(expected, abs=1e-9)


@pytest.mark.filterwarnings("error")
def test_weights_that_leave_nothing_to_rank_give_nan():
    outcome = many_classes(0)
    weights = np.vstack([np.zeros(len(outcome)), np.eye(1, len(outcome))])
    assert np.isnan(score("average_precision", outcome, weights)).tolist() == [True, False]
    assert np.isnan(score("roc_auc", outcome, weights)).all()


def test_many_classes_are_not_sorted_one_by_one(monkeypatch):
    sorts = []
    monkeypatch.setattr(
        np, "argsort", lambda *args, sort=np.argsort, **kwargs: sorts.append(1) or sort(*args, **kwargs)
    )
    for classes in (100, 400):
        sorts.clear()
        for name in metrics_of("multiclass"):
            score(name, many_classes(0, classes))
        assert len(sorts) < 2 * len(metrics_of("multiclass"))  # a few per metric, however many classes there are


def test_memory_of_intervals_does_not_grow_with_rows_times_classes_times_resamples():
    outcome = many_classes(0, classes=400, rows=1200)
    tracemalloc.start()
    try:
        found = evaluate_outcome(outcome, metrics_of("multiclass"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.isfinite([*found.intervals["average_precision"]]).all()
    assert peak < 300e6  # 1,000 resamples of 1,200 rows and 400 classes are 3.8 GB
