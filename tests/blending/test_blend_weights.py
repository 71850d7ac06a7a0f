"""Weights of a blend, and the choice of its members."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorium.blending._choose import Judged, choose_members
from sensorium.blending._weights import LEAST, fit_weights
from sensorium.model import Pool
from sensorium.registry import tasks
from sensorium.table import open_table

RANDOM = np.random.default_rng(0)


def task_of(name, cells):
    return tasks.load(name).learn(open_table({"target": cells}).column("target"), "none")


CLASSES = task_of("multiclass", ["a", "b", "c"] * 4)
AMOUNT = task_of("regression", [1.0, 2.0, 3.0])


def probabilities(truth, sharpness, random, classes=3):
    """Probabilities that favour the truth the more, the larger `sharpness` is."""
    logits = random.normal(size=(len(truth), classes))
    logits[np.arange(len(truth)), truth] += sharpness
    odds = np.exp(logits)
    return odds / odds.sum(1, keepdims=True)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 60), st.integers(0, 10_000))
def test_weights_are_positive_and_not_tiny(count, rows, seed):
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, rows)
    scores = [probabilities(truth, random.uniform(-2, 3), random) for _ in range(count)]
    weights = fit_weights(CLASSES, scores, truth, CLASSES.prior(truth))
    assert weights.shape == (count,)
    assert weights.sum() > 0
    assert ((weights == 0) | (weights >= LEAST * weights.sum() * 0.99)).all()


def test_the_blend_has_nearly_the_least_log_loss_of_all_weights():
    truth = RANDOM.integers(0, 3, 400)
    scores = [probabilities(truth, sharpness, np.random.default_rng(seed)) for seed, sharpness in enumerate((1.5, 1.0))]
    prior = np.bincount(truth, minlength=3) / 400

    def loss(weights):
        return -np.log(CLASSES.pooled(scores, weights, prior)[np.arange(400), truth]).mean()

    found = fit_weights(CLASSES, scores, truth, CLASSES.prior(truth))
    grid = [(one, two) for one in np.linspace(0, 2, 41) for two in np.linspace(0, 2, 41)]
    assert loss(found) < min(map(loss, grid)) + 0.01


def independent_sources(rows, random):
    """Return labels, and probabilities given each of two features that are independent given the label."""
    prior = np.array([0.7, 0.2, 0.1])
    truth = random.choice(3, rows, p=prior)
    scores = []
    for _ in range(2):
        feature = random.normal(np.array([0.0, 1.0, 2.0])[truth])
        odds = prior * np.exp(-((feature[:, None] - [0.0, 1.0, 2.0]) ** 2) / 2)
        scores.append(odds / odds.sum(1, keepdims=True))
    return truth, scores


def test_evidence_of_independent_modalities_adds_up():
    """By the rule of Bayes, each weight is 1; those of models that tell the same sum to 1."""
    truth, scores = independent_sources(4000, np.random.default_rng(0))
    assert fit_weights(CLASSES, scores, truth, CLASSES.prior(truth)) == pytest.approx([1, 1], abs=0.1)
    assert fit_weights(CLASSES, [scores[0], scores[0]], truth, CLASSES.prior(truth)) == pytest.approx(
        [0.5, 0.5], abs=0.05
    )


def test_members_that_know_nothing_do_not_move_the_prior():
    truth = np.random.default_rng(0).integers(0, 3, 3000)
    noise = [probabilities(np.random.default_rng(seed).permutation(truth), 2.0, RANDOM) for seed in range(2)]
    prior = np.bincount(truth, minlength=3) / 3000
    weights = fit_weights(CLASSES, noise, truth, prior)
    if np.count_nonzero(weights) > 1:
        assert np.abs(CLASSES.pooled(noise, weights, prior) - prior).max() < 0.1


def test_labels_of_a_row_are_weighted_one_by_one():
    task = task_of("multilabel", [["a"], ["b"], ["a", "b"], []] * 3)
    random = np.random.default_rng(0)
    truth = random.random((2000, 2)) < [0.3, 0.6]
    features = [random.normal(truth.astype(float)) for _ in range(2)]
    odds = [np.array([0.3 / 0.7, 0.6 / 0.4]) * np.exp(own - 0.5) for own in features]
    scores = [own / (1 + own) for own in odds]
    weights = fit_weights(task, scores, truth.astype(np.float32), [0.3, 0.6])
    assert weights == pytest.approx([1, 1], abs=0.15)
    pooled = task.pooled(scores, [1.0, 1.0], [0.3, 0.6])
    logits = np.log([0.3 / 0.7, 0.6 / 0.4]) + sum(own - 0.5 for own in features)
    assert pooled == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-4)


def test_amounts_are_weighted_by_least_squares():
    truth = RANDOM.normal(size=500)
    scores = [truth + RANDOM.normal(size=500) * noise for noise in (0.5, 1.0)]
    weights = fit_weights(AMOUNT, scores, truth, [0.0])
    # Independent errors: weights in proportion to 1 / variance
    assert weights == pytest.approx([0.8, 0.2], abs=0.06)


def test_equal_members_of_few_rows_get_nearly_equal_weights():
    truth = RANDOM.integers(0, 3, 6)
    own = probabilities(truth, 1.0, RANDOM)
    one, other = fit_weights(CLASSES, [own, own.copy()], truth, [1 / 3] * 3)
    assert one == other == pytest.approx(0.5, abs=0.2)


def test_a_single_member_has_all_the_weight():
    assert fit_weights(AMOUNT, [np.ones(4)], np.zeros(4), [0.0]).tolist() == [1.0]


def test_overflowing_errors_do_not_break_the_weights():
    truth = np.array([1e150, -1e150, 1.0, 2.0] * 500)
    weights = fit_weights(AMOUNT, [truth, -truth], truth, [0.0])
    assert weights == pytest.approx([1, 0], abs=0.01)


def judged(rows, seed=0):
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, rows)
    return Judged(Pool(CLASSES, "log", [1 / 3] * 3), truth, np.arange(rows) % 5), random


def test_all_modalities_are_blended_where_each_helps():
    rows, random = judged(600)
    scores = [probabilities(rows.truth, 1.0, random) for _ in range(3)]
    found = choose_members(rows, scores, [["text", "image"], ["text"], ["image"]])
    assert found.modality == ""
    assert found.members == [0, 1, 2]
    assert found.loss < min(rows.loss(own) for own in scores)


def test_a_modality_alone_is_used_if_the_others_only_disturb():
    rows, random = judged(600)
    text = probabilities(rows.truth, 2.0, random)
    noise = probabilities(rows.truth, -1.0, random)
    found = choose_members(rows, [0.5 * text + 0.5 * noise, text, noise], [["text", "image"], ["text"], ["image"]])
    assert found.modality == "text"
    assert found.members == [1]
    assert found.weights == [1.0]
    assert set(found.losses) == {"", "text", "image"}


def test_the_scores_of_a_part_do_not_depend_on_its_labels():
    rows, random = judged(200)
    scores = [probabilities(rows.truth, sharpness, random) for sharpness in (2.0, 0.5)]
    before = rows.blended(scores)
    shuffled = rows.truth.copy()
    own = rows.parts == 3
    shuffled[own] = np.roll(shuffled[own], 1)
    after = replace(rows, truth=shuffled).blended(scores)
    assert (before[own] == after[own]).all()
    assert not np.array_equal(before[~own], after[~own])


def test_the_loss_of_a_single_model_is_that_of_a_choice_by_other_rows():
    """Each of 30 models of noise is good by chance on some rows; none is better than the others on new ones."""
    rows, random = judged(100)
    scores = [random.dirichlet([2, 2, 2], 100) for _ in range(30)]
    found = choose_members(rows, scores, [["text"]] * 30)
    assert found.single > min(rows.loss(own) for own in scores)
    for part in range(5):
        rest = rows.parts != part
        chosen = min(scores, key=lambda own: rows.at(rest).loss(own[rest]))
        assert np.array_equal(rows.blended(scores, single=True)[~rest], chosen[~rest])
    assert found.loss <= found.single


def many_classes(rows, seed, members=5):
    """Return a task of 200 classes, labels in cyclic order, and independent members."""
    task = task_of("multiclass", [f"{place:03}" for place in range(200)] * 2)
    random = np.random.default_rng(seed)
    truth = np.arange(rows) % 200
    scores = []
    for _ in range(members):
        logits = random.normal(size=(rows, 200))
        logits[np.arange(rows), truth] += 2.0
        odds = np.exp(logits)
        scores.append(odds / odds.sum(1, keepdims=True))
    return task, truth, scores


def test_weights_of_many_classes_do_not_depend_on_the_rows_that_are_used():
    """2,000,000 numbers are 2,000 of these rows, so a half of them."""
    task, truth, scores = many_classes(4000, 0)
    prior = task.prior(truth)
    weights = fit_weights(task, scores, truth, prior)
    loss = -np.log(task.pooled(scores, weights, prior)[np.arange(4000), truth]).mean()
    ideal = -np.log(task.pooled(scores, [2.0] * 5, prior)[np.arange(4000), truth]).mean()
    assert loss < ideal + 0.05


def test_classes_that_no_row_of_a_part_has_keep_the_evidence():
    """The prior is that of the model, also for weights that few rows fit."""
    task, truth, scores = many_classes(250, 1)
    rows = Judged(Pool(task, "log", [1 / 200] * 200), truth, np.arange(250) % 5)
    together = rows.loss(rows.blended(scores))
    assert together < 0.5 * min(rows.loss(own) for own in scores)


def test_rows_of_one_part_choose_one_member():
    rows, random = judged(50)
    rows = replace(rows, parts=np.zeros(50, np.int64))
    scores = [probabilities(rows.truth, sharpness, random) for sharpness in (1.8, 2.0)]
    assert np.count_nonzero(rows.weights(scores, single=False)) == 2  # they would overfit these rows
    found = choose_members(rows, scores, [["a"], ["a"]])
    losses = [rows.loss(own) for own in scores]
    assert found.members == [int(np.argmin(losses))]
    assert found.loss == min(losses)


def test_amounts_of_a_member_without_a_value_do_not_count():
    """As in the model: the other members count for it, and the prior for all of them."""
    random = np.random.default_rng(0)
    truth, parts = random.normal(10, 1, 500), np.arange(500) % 5
    whole, other = (truth + random.normal(0, 0.5, 500) for _ in range(2))
    partial = np.where(np.arange(500) < 250, other, np.nan)
    rows = Judged(Pool(AMOUNT, "mean", [10.0]), truth, parts)
    found = choose_members(rows, [whole, partial], [["text", "image"], ["image"]])
    assert found.members == [0, 1] and found.weights == pytest.approx([0.5, 0.5], abs=0.1)
    assert found.scores[250:] == pytest.approx(whole[250:])
    assert found.loss == rows.loss(found.scores) < rows.loss(whole)
    assert rows.loss(partial) == rows.loss(np.r_[other[:250], np.full(250, 10.0)])


def test_a_mean_of_probabilities_has_shares_as_weights():
    rows, random = judged(300)
    rows = replace(rows, pool=replace(rows.pool, pooling="mean"))
    scores = [probabilities(rows.truth, 1.0, random) for _ in range(2)]
    found = choose_members(rows, scores, [["a"], ["a"]])
    assert sum(found.weights) == pytest.approx(1)
    assert rows.pooled(scores, np.array([0.5, 0.5])) == pytest.approx((scores[0] + scores[1]) / 2)
