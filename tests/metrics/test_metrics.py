"""Every metric equals scikit-learn's, weighted rows too; where it is not defined it is NaN."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn import metrics as reference

from sensorium.metrics import Outcome, Part, best_value, metrics_of, rank_value, score
from sensorium.registry import metrics
from sensorium.registry.traits import suited_tasks, traits_of
from sensorium.testing.metrics import make_outcome

pytestmark = pytest.mark.unit


def tasks_of(name):
    return suited_tasks(metrics.entry(name).literal("TASKS"))


def probabilities(random, rows, classes):
    """Coarse, so that scores tie."""
    raw = random.integers(1, 5, (rows, classes)).astype(float)
    return raw / raw.sum(1, keepdims=True)


def classified(seed, classes, rows=60):
    random = np.random.default_rng(seed)
    scores = probabilities(random, rows, classes)
    truth = np.concatenate([np.arange(classes), random.integers(0, classes, rows - classes)])
    return Outcome(truth, scores, scores.argmax(1))


def labelled(seed, rows=60, labels=4):
    random = np.random.default_rng(seed)
    scores = random.integers(1, 20, (rows, labels)) / 20
    truth = random.random((rows, labels)) < 0.4
    truth[0], truth[1] = True, False
    return Outcome(truth, scores, scores >= 0.5)


def valued(seed, rows=60, centre=0.0):
    random = np.random.default_rng(seed)
    truth = centre + random.normal(size=rows)
    scores = truth + random.normal(size=rows)
    return Outcome(truth, scores, scores)


def tied(seed):
    """Rounded amounts, none of them 0: values and errors tie."""
    made = valued(seed)
    truth, scores = made.truth.round(1) + 0.05, made.scores.round(1)
    return Outcome(truth, scores, scores)


def counted(seed, rows=60):
    random = np.random.default_rng(seed)
    means = random.gamma(1.0, 2.0, rows) + 1e-6
    return Outcome(random.poisson(means).astype(float), means, means)


def one_hot(outcome):
    return np.eye(outcome.scores.shape[1])[outcome.truth]


def weighted_spearman(truth, predicted, weights):
    """Return SciPy's coefficient of rows that are repeated by their weights."""
    weights = np.ones(len(truth)) if weights is None else weights
    rows = np.repeat(np.arange(len(truth)), np.rint(2 * weights).astype(int))
    return spearmanr(truth[rows], predicted[rows]).statistic


def ordered_top_k(outcome, k, weights):
    """Return scikit-learn's accuracy of the top k, in whose order the last of equal classes comes first."""
    classes = outcome.scores.shape[1]
    truth, scores = classes - 1 - outcome.truth, outcome.scores[:, ::-1]
    return reference.top_k_accuracy_score(truth, scores, k=k, sample_weight=weights, labels=np.arange(classes))


def averaged(function, average):
    return lambda o, w: function(o.truth, o.predicted, average=average, sample_weight=w, zero_division=0)


def weighted_median(truth, scores, weights):
    """Return NumPy's median of errors that are repeated by their weights."""
    weights = np.ones(len(truth)) if weights is None else weights
    return np.median(np.repeat(np.abs(truth - scores), np.rint(2 * weights).astype(int)))


CLASSES = {
    "precision_macro": averaged(reference.precision_score, "macro"),
    "recall_macro": averaged(reference.recall_score, "macro"),
    "precision_weighted": averaged(reference.precision_score, "weighted"),
    "recall_weighted": averaged(reference.recall_score, "weighted"),
    "accuracy": lambda o, w: reference.accuracy_score(o.truth, o.predicted, sample_weight=w),
    "f1_macro": lambda o, w: reference.f1_score(o.truth, o.predicted, average="macro", sample_weight=w),
    "f1_weighted": lambda o, w: reference.f1_score(o.truth, o.predicted, average="weighted", sample_weight=w),
    "balanced_accuracy": lambda o, w: reference.balanced_accuracy_score(o.truth, o.predicted, sample_weight=w),
    "log_loss": lambda o, w: reference.log_loss(o.truth, o.scores, sample_weight=w),
}
ONE_OF = {
    "mcc": lambda o, w: reference.matthews_corrcoef(o.truth, o.predicted, sample_weight=w),
    "cohen_kappa": lambda o, w: reference.cohen_kappa_score(o.truth, o.predicted, sample_weight=w),
}
BINARY = {
    "specificity": lambda o, w: reference.recall_score(o.truth, o.predicted, pos_label=0, sample_weight=w),
    "f1": lambda o, w: reference.f1_score(o.truth, o.predicted, sample_weight=w),
    "precision": lambda o, w: reference.precision_score(o.truth, o.predicted, sample_weight=w),
    "recall": lambda o, w: reference.recall_score(o.truth, o.predicted, sample_weight=w),
    "roc_auc": lambda o, w: reference.roc_auc_score(o.truth, o.scores[:, 1], sample_weight=w),
    "average_precision": lambda o, w: reference.average_precision_score(o.truth, o.scores[:, 1], sample_weight=w),
    "brier": lambda o, w: reference.brier_score_loss(o.truth, o.scores[:, 1], sample_weight=w),
}
MULTICLASS = {
    "top_3_accuracy": lambda o, w: ordered_top_k(o, 3, w),
    "top_5_accuracy": lambda o, w: ordered_top_k(o, 5, w),
    "f1_micro": lambda o, w: reference.f1_score(o.truth, o.predicted, average="micro", sample_weight=w),
    "roc_auc": lambda o, w: reference.roc_auc_score(one_hot(o), o.scores, average="macro", sample_weight=w),
    "average_precision": lambda o, w: reference.average_precision_score(one_hot(o), o.scores, sample_weight=w),
    "brier": lambda o, w: reference.brier_score_loss(o.truth, o.scores, sample_weight=w, scale_by_half=False),
}
LABELS = {
    **{name: function for name, function in CLASSES.items() if name not in ("balanced_accuracy", "log_loss")},
    "precision_micro": averaged(reference.precision_score, "micro"),
    "recall_micro": averaged(reference.recall_score, "micro"),
    "hamming_loss": lambda o, w: reference.hamming_loss(o.truth, o.predicted, sample_weight=w),
    "label_ranking_average_precision": lambda o, w: reference.label_ranking_average_precision_score(
        o.truth, o.scores, sample_weight=w
    ),
    "label_ranking_loss": lambda o, w: reference.label_ranking_loss(o.truth, o.scores, sample_weight=w),
    "coverage_error": lambda o, w: reference.coverage_error(o.truth, o.scores, sample_weight=w),
    "f1_micro": MULTICLASS["f1_micro"],
    "roc_auc": lambda o, w: reference.roc_auc_score(o.truth, o.scores, average="macro", sample_weight=w),
    "average_precision": lambda o, w: reference.average_precision_score(o.truth, o.scores, sample_weight=w),
    "brier": lambda o, w: np.mean(
        [reference.brier_score_loss(t, s, sample_weight=w) for t, s in zip(o.truth.T, o.scores.T, strict=True)]
    ),
    "log_loss": lambda o, w: np.mean(
        [
            reference.log_loss(t, np.stack([1 - s, s], 1), sample_weight=w)
            for t, s in zip(o.truth.T, o.scores.T, strict=True)
        ]
    ),
}
RANKS = {
    "quadratic_weighted_kappa": lambda o, w: reference.cohen_kappa_score(
        o.truth, o.predicted, weights="quadratic", sample_weight=w
    ),
    "rank_mae": lambda o, w: reference.mean_absolute_error(o.truth, o.predicted, sample_weight=w),
    "spearman": lambda o, w: weighted_spearman(o.truth, o.predicted, w),
}
VALUES = {
    "median_absolute_error": lambda o, w: weighted_median(o.truth, o.scores, w),
    "spearman": lambda o, w: weighted_spearman(o.truth, o.scores, w),
    "rmse": lambda o, w: reference.root_mean_squared_error(o.truth, o.scores, sample_weight=w),
    "mae": lambda o, w: reference.mean_absolute_error(o.truth, o.scores, sample_weight=w),
    "r2": lambda o, w: reference.r2_score(o.truth, o.scores, sample_weight=w),
}
PERCENT = {"mape": lambda o, w: reference.mean_absolute_percentage_error(o.truth, o.scores, sample_weight=w)}
COUNTS = {
    "mean_poisson_deviance": lambda o, w: reference.mean_poisson_deviance(o.truth, o.scores, sample_weight=w),
}
CASES = {
    "binary": (lambda seed: classified(seed, 2), {**CLASSES, **ONE_OF, **BINARY}),
    "multiclass": (lambda seed: classified(seed, 7), {**CLASSES, **ONE_OF, **MULTICLASS}),
    "multilabel": (labelled, LABELS),
    "ordinal": (lambda seed: classified(seed, 7), {**CLASSES, **ONE_OF, **MULTICLASS, **RANKS}),
    "regression": (tied, {**VALUES, **PERCENT}),
    "count": (counted, {**VALUES, **COUNTS}),
}


def sure_and_right(outcome):
    """Confidence of each prediction and whether it is right."""
    if outcome.is_multilabel:
        confidence = np.where(outcome.predicted, outcome.scores, 1 - outcome.scores).ravel()
        return confidence, (outcome.predicted == outcome.truth).ravel()
    return outcome.scores.max(1), outcome.predicted == outcome.truth


def slow_ece(outcome, weights):
    """The definition, bin by bin."""
    confidence, right = sure_and_right(outcome)
    weights = np.repeat(weights, len(right) // len(outcome))
    total, edges = 0.0, np.minimum((confidence * 15).astype(int), 14)
    for place in range(15):
        inside = edges == place
        if weights[inside].sum():
            gap = np.average(right[inside], weights=weights[inside]) - np.average(
                confidence[inside], weights=weights[inside]
            )
            total += abs(gap) * weights[inside].sum() / weights.sum()
    return total


def slow_adaptive_ece(outcome, weights):
    """The definition: rows are repeated, sorted and cut into 15 bins of equally many; ties have their mean accuracy."""
    confidence, right = sure_and_right(outcome)
    repeats = np.repeat(weights, len(right) // len(outcome)) * 15
    mean_right = {c: np.average(right[confidence == c], weights=repeats[confidence == c]) for c in set(confidence)}
    confidence = np.sort(np.repeat(confidence, repeats))
    bins = np.stack([confidence, [mean_right[c] for c in confidence]]).reshape(2, 15, -1).mean(2)
    return np.abs(bins[1] - bins[0]).mean()


@pytest.mark.parametrize("task", CASES)
def test_every_metric_is_compared(task):
    assert set(metrics_of(task)) == {
        *CASES[task][1],
        *(["ece", "ece_adaptive"] if task not in ("regression", "count") else []),
    }


@pytest.mark.parametrize(("task", "name"), [(task, name) for task, (_, names) in CASES.items() for name in names])
@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_a_metric_equals_scikit_learns(task, name, seed):
    make, references = CASES[task]
    outcome = make(seed)
    draws = np.random.default_rng(seed).multinomial(len(outcome), [1 / len(outcome)] * len(outcome), 2) + 0.5
    found = score(name, outcome, np.concatenate([np.ones((1, len(outcome))), draws]))
    expected = [references[name](outcome, w) for w in (None, *draws)]
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "ordinal"])
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_calibration_error_equals_its_definition(task, seed):
    outcome = CASES[task][0](seed)
    weights = np.random.default_rng(seed).integers(0, 4, len(outcome)) + 0.25
    assert score("ece", outcome, weights[None])[0] == pytest.approx(slow_ece(outcome, weights), abs=1e-9)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "ordinal"])
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_adaptive_calibration_error_equals_its_definition(task, seed):
    outcome = CASES[task][0](seed)
    weights = np.random.default_rng(seed).integers(1, 4, (3, len(outcome)))
    expected = [slow_adaptive_ece(outcome, own) for own in weights]
    assert score("ece_adaptive", outcome, weights.astype(float)) == pytest.approx(expected, abs=1e-9)


def test_adaptive_bins_show_an_error_that_bins_of_equal_width_average_out():
    """Half of the rows are too sure by 4 points and half too unsure; their confidences fall into one bin of ECE."""
    confidence = np.repeat([0.94, 0.99], 150)
    right = np.concatenate([np.arange(150) < 147, np.arange(150) < 143])  # 0.98 and 0.953
    outcome = Outcome(np.where(right, 1, 0), np.stack([1 - confidence, confidence], 1), np.ones(300, int))
    assert score("ece", outcome)[0] == pytest.approx(0.0017, abs=1e-4)
    # Of 15 bins of 20 rows, seven hold one kind, seven the other, and one ten rows of each.
    expected = (7 * 0.04 + 7 * (0.99 - 143 / 150) + (0.04 - (0.99 - 143 / 150)) / 2) / 15
    assert score("ece_adaptive", outcome)[0] == pytest.approx(expected, abs=1e-6)


def test_brier_score_adds_up_over_classes_but_not_over_two():
    """A certain error costs 1 with two classes, and 2 with more (Brier 1950)."""
    for classes, worst in ((2, 1.0), (3, 2.0)):
        wrong = np.eye(classes)[np.roll(np.arange(classes), 1)]
        assert score("brier", Outcome(np.arange(classes), wrong, wrong.argmax(1)))[0] == worst


def test_r2_of_a_target_far_from_zero_is_exact():
    near, far = valued(3), valued(3, centre=1e8)
    assert score("r2", far)[0] == pytest.approx(score("r2", near)[0], abs=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_certainty_that_is_wrong_costs_much_yet_finitely(classes):
    truth = np.arange(classes)
    sure = Outcome(truth, np.eye(classes)[np.roll(truth, 1)], np.roll(truth, 1))
    assert score("log_loss", sure)[0] == pytest.approx(-np.log(1e-15))
    right = Outcome(truth, np.eye(classes), truth)
    assert [score(name, right)[0] for name in ("log_loss", "ece")] == [0, 0]


@pytest.mark.parametrize("name", ["roc_auc", "precision", "recall", "f1", "mcc", "average_precision"])
def test_what_is_not_defined_is_nan(name):
    all_negative = Outcome(np.zeros(5, int), np.tile([0.9, 0.1], (5, 1)), np.zeros(5, int))
    assert np.isnan(score(name, all_negative)[0])


def test_a_constant_target_has_no_r2():
    assert np.isnan(score("r2", Outcome(np.ones(4), np.ones(4) * 2, np.ones(4) * 2))[0])


@pytest.mark.parametrize("name", metrics.names())
def test_every_metric_says_what_it_measures(name):
    assert metrics.entry(name).summary.endswith((".", ")"))


def edges(task):
    """Outcomes and weightings that leave little to measure by."""
    outcome = make_outcome(task)
    one_class = outcome.take(np.flatnonzero(np.atleast_2d(outcome.truth.T)[0] == np.atleast_2d(outcome.truth.T)[0][0]))
    weights = np.vstack([np.zeros(len(outcome)), np.eye(1, len(outcome)), np.ones(len(outcome))])
    yield outcome, weights
    yield outcome.take(np.arange(1)), None
    yield outcome.take(np.arange(0)), None
    yield one_class, None
    yield outcome.take(np.zeros(5, np.int64)), np.vstack([np.zeros(5), np.ones(5)])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("name", "task"), [(n, t) for n in metrics.names() for t in tasks_of(n)])
def test_rows_or_weights_that_leave_nothing_to_measure_give_nan_and_no_warning(name, task):
    for outcome, weights in edges(task):
        found = score(name, outcome, weights)
        assert found.shape == (1 if weights is None else len(weights),)
        assert not np.isinf(found).any()
    nothing = score(name, make_outcome(task), np.zeros((1, 60)))
    assert np.isnan(nothing).all()


@pytest.mark.filterwarnings("error")
def test_several_targets_without_labels_have_no_metrics_and_no_warning():
    outcome = make_outcome("several")
    parts = {n: Part(p.task, p.main, np.zeros(60, bool), p.outcome) for n, p in outcome.parts.items()}
    empty = Outcome(outcome.truth, outcome.scores, outcome.predicted, parts)
    assert all(np.isnan(score(f"{name}.ece", empty)[0]) for name in parts)
    assert np.isnan(score("mean_score", empty)[0])


@pytest.mark.filterwarnings("error")
def test_amounts_whose_squares_are_no_numbers_are_measured():
    truth = np.array([1e200, -1e200, 3e200])
    outcome = Outcome(truth, truth + 1e199, truth + 1e199)
    assert score("rmse", outcome)[0] == pytest.approx(1e199)
    assert 0.99 < score("r2", outcome)[0] < 1


@pytest.mark.parametrize(("name", "values"), [("r2", [0.5, 0.0, -0.5]), ("rmse", [0.0, 0.5, 2.0])])
def test_undefined_values_rank_below_all_others(name, values):
    ranks = [rank_value(name, value) for value in [*values, float("nan")]]
    assert ranks == sorted(ranks, reverse=True)
    assert ranks[-1] == rank_value(name, None) < ranks[-2]


def perfect(task):
    """Predictions that equal the truth, with certainty."""
    outcome = make_outcome(task)
    if outcome.parts:
        parts = {name: Part(p.task, p.main, p.known, perfect(p.task)) for name, p in outcome.parts.items()}
        return Outcome(outcome.truth, outcome.scores, outcome.predicted, parts)
    if "an amount" in traits_of(task):
        return Outcome(outcome.truth, outcome.truth, outcome.truth)
    scores = outcome.truth.astype(float) if task == "multilabel" else one_hot(outcome)
    return Outcome(outcome.truth, scores, outcome.truth)


@pytest.mark.parametrize("name", [name for name in metrics.names() if best_value(name) is not None])
def test_perfect_predictions_have_the_best_value_of_a_metric(name):
    for task in tasks_of(name):
        assert score(name, perfect(task))[0] == pytest.approx(best_value(name), abs=1e-12)
        if name != "top_5_accuracy":  # the outcome has four classes
            assert rank_value(name, score(name, make_outcome(task))[0]) < rank_value(name, best_value(name))
