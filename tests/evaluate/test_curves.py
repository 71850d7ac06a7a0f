"""Confusion matrices and curves, against scikit-learn."""

import json

import numpy as np
import pytest
from sklearn.metrics import (
    confusion_matrix,
    multilabel_confusion_matrix,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from sensorium.evaluate.confusion import MAX_CLASSES, OTHER, ConfusionMatrix
from sensorium.evaluate.curves import MAX_LABELS, MAX_POINTS, TOP_CLASS, make_curves
from sensorium.metrics import Outcome

pytestmark = pytest.mark.unit


def binary(rows=300, seed=0, groups=None):
    random = np.random.default_rng(seed)
    truth = random.random(rows) < 0.3
    scores = np.round(1 / (1 + np.exp(1 - 1.5 * truth - random.normal(0, 1, rows))), 3)
    return Outcome(truth.astype(int), np.stack([1 - scores, scores], 1), (scores >= 0.5).astype(int), groups=groups)


def multiclass(classes, rows=200, seed=0):
    random = np.random.default_rng(seed)
    scores = random.dirichlet(np.ones(classes), rows)
    return Outcome(random.integers(0, classes, rows), scores, scores.argmax(1))


def multilabel(labels, rows=200, seed=0):
    random = np.random.default_rng(seed)
    scores = random.random((rows, labels))
    return Outcome(random.random((rows, labels)) < scores, scores, scores >= 0.5)


def test_roc_curve_has_points_of_the_exact_curve():
    outcome = binary()
    truth, scores = outcome.truth, outcome.scores[:, 1]
    (curve,) = make_curves(outcome, ["no", "yes"]).roc
    exact = {(x, y) for x, y in zip(*roc_curve(truth, scores, drop_intermediate=False)[:2], strict=True)}
    assert curve.label == "yes"
    assert {*zip(curve.x, curve.y, strict=True)} <= exact
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(roc_auc_score(truth, scores), abs=0.01)
    for threshold, x, y in zip(curve.thresholds[1:], curve.x[1:], curve.y[1:], strict=True):
        decided = scores >= threshold
        assert (decided[truth == 0].mean(), decided[truth == 1].mean()) == (pytest.approx(x), pytest.approx(y))


def test_precision_recall_curve_has_points_of_the_exact_curve():
    outcome = binary()
    (curve,) = make_curves(outcome, ["no", "yes"]).precision_recall
    exact = precision_recall_curve(outcome.truth, outcome.scores[:, 1])
    pairs = {(round(float(r), 9), round(float(p), 9)) for p, r in zip(exact[0], exact[1], strict=True)}
    assert {(round(float(x), 9), round(float(y), 9)) for x, y in zip(curve.x, curve.y, strict=True)} <= pairs
    assert (np.diff(curve.x) > 0).all()


def test_bands_contain_the_curve_and_shrink_with_the_rows():
    widths = []
    for rows in (100, 900):
        curves = make_curves(binary(rows), ["no", "yes"])
        for curve in (*curves.roc, *curves.precision_recall, *curves.reliability):
            assert (curve.low <= curve.y).all()
            assert (curve.y <= curve.high).all()
        (curve,) = curves.roc
        widths.append(np.interp(0.3, curve.x, curve.high) - np.interp(0.3, curve.x, curve.low))
    assert widths[1] < widths[0] / 2


def test_bands_resample_groups():
    """Every row twice: as independent rows, they seem to be twice as many."""
    outcome = binary(100)
    twice = outcome.take(np.repeat(np.arange(100), 2))
    alone, pairs = (make_curves(own, [0, 1]) for own in (twice, twice.grouped(np.repeat(np.arange(100), 2))))
    for name in ("roc", "precision_recall", "reliability"):
        (narrow,), (wide,) = getattr(alone, name), getattr(pairs, name)
        assert (wide.high - wide.low).mean() > 1.2 * (narrow.high - narrow.low).mean()


def test_curves_are_bounded_in_size():
    curves = make_curves(multilabel(14, rows=400), [*range(14)])
    assert len(curves.roc) == len(curves.precision_recall) == len(curves.reliability) == MAX_LABELS
    assert curves.left_out == 4
    assert max(len(curve.x) for curve in curves.roc + curves.precision_recall) <= MAX_POINTS
    assert len(json.dumps(curves.to_json())) < 600_000


def test_reliability_bins_hold_all_rows_and_equal_scores_together():
    outcome = binary(403)
    (curve,) = make_curves(outcome, ["no", "yes"]).reliability
    assert curve.rows.sum() == 403
    assert (np.abs(curve.rows - 403 / len(curve.rows)) <= 6).all()
    assert (curve.rows * curve.y).sum() == pytest.approx(outcome.truth.sum())
    assert (curve.rows * curve.x).sum() == pytest.approx(outcome.scores[:, 1].sum())
    flat = Outcome(outcome.truth, np.full((403, 2), 0.5), outcome.truth)
    assert make_curves(flat, ["no", "yes"]).reliability[0].rows.tolist() == [403]


def test_several_classes_have_a_curve_each_and_one_reliability_curve():
    outcome = multiclass(4)
    curves = make_curves(outcome, list("abcd"))
    assert [curve.label for curve in curves.roc] == list("abcd")
    (curve,) = curves.reliability
    assert curve.label == TOP_CLASS
    assert (curve.rows * curve.y).sum() == pytest.approx((outcome.truth == outcome.predicted).sum())


def test_label_of_all_rows_has_no_curve():
    outcome = multilabel(3)
    outcome.truth[:, 1] = True
    curves = make_curves(outcome, list("abc"))
    assert [curve.label for curve in curves.roc] == ["a", "c"]


def test_curves_are_the_same_again():
    assert make_curves(binary(), [0, 1]).to_json() == make_curves(binary(), [0, 1]).to_json()


def test_confusion_matrix_of_classes():
    outcome = multiclass(5)
    matrix = ConfusionMatrix.of(outcome, list("abcde"))
    assert matrix.counts.tolist() == confusion_matrix(outcome.truth, outcome.predicted).tolist()
    assert (matrix.labels, matrix.combined) == (list("abcde"), 0)


def test_confusion_matrix_of_labels():
    outcome = multilabel(4)
    matrix = ConfusionMatrix.of(outcome, list("abcd"))
    assert matrix.counts.tolist() == multilabel_confusion_matrix(outcome.truth, outcome.predicted).tolist()


def test_confusion_matrix_of_many_classes_combines_the_rarest():
    outcome = multiclass(80, rows=2000)
    matrix = ConfusionMatrix.of(outcome, [*range(80)])
    assert matrix.combined == 80 - MAX_CLASSES
    assert matrix.labels[-1] == OTHER
    assert matrix.counts.shape == (MAX_CLASSES + 1, MAX_CLASSES + 1)
    assert matrix.counts.sum() == 2000
    kept = np.array(matrix.labels[:-1])
    exact = confusion_matrix(outcome.truth, outcome.predicted, labels=range(80))
    assert (matrix.counts[:-1, :-1] == exact[np.ix_(kept, kept)]).all()
    assert exact.sum(1)[kept].min() >= np.delete(exact.sum(1), kept).max()
