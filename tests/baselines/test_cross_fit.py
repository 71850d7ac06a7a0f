"""Fitted baselines: out-of-fold predictions, the choice of their strength, and saved models."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor

from sensorium.baselines import Job, cross_fit, fold_losses
from sensorium.baselines.linear import STRENGTHS
from sensorium.config import Config
from sensorium.errors import ArtifactError
from sensorium.metrics import score
from sensorium.planning import plan_and_prepare
from sensorium.prepare.summaries import summarize
from sensorium.registry import baselines, tasks
from sensorium.registry.traits import suited_tasks
from sensorium.runtime.progress import Silent
from sensorium.split import Fold
from sensorium.table import open_table

SPLIT = {"validation": 0.2, "test": 0.3}


def experiment(table, **settings):
    config = Config.gather({"target": "label", "split": SPLIT}, settings)
    return plan_and_prepare(open_table(table), config, Silent())


def job_of(data, **changes):
    rows = np.sort(np.concatenate([data.rows("train"), data.rows("validation")]))
    given = {
        "cells": summarize(data.cells),
        "target": data.plan.target,
        "rows": rows,
        "task": data.plan.task,
        "seed": 0,
    }
    return Job(**given | changes)


def folds_of(rows, count=3):
    parts = [np.sort(part) for part in np.array_split(np.random.default_rng(0).permutation(rows), count)]
    return [Fold(np.setdiff1d(rows, part), part) for part in parts]


def labels(task, signal, random):
    names = {"binary": ["no", "yes"], "multiclass": ["a", "b", "c"], "ordinal": [1, 2, 3]}
    if task == "regression":
        return signal * 1e6 + 1e7
    if task == "count":
        return np.rint(20 * np.exp(signal / 2)).astype(int)
    if task == "multilabel":
        return [[name for name in "pqr" if random.random() < 0.2 + 0.6 * (x > 0)] for x in signal]
    places = np.digitize(signal, np.quantile(signal, np.linspace(0, 1, len(names[task]) + 1)[1:-1]))
    return [names[task][place] for place in places]


def noisy(task, rows=400, seed=0):
    random = np.random.default_rng(seed)
    signal = random.normal(size=rows)
    near = signal + (0.0 if task == "multilabel" else 0.2) * random.normal(size=rows)
    table = {"one": signal, "kind": random.choice(list("xyz"), rows), "label": labels(task, near, random)}
    return experiment(table, task=task)


def known_tasks(name):
    return suited_tasks(baselines.entry(name).literal("TASKS"))


@pytest.mark.parametrize(("name", "task"), [(name, task) for name in baselines.names() for task in known_tasks(name)])
def test_a_baseline_learns_each_task_that_it_names(name, task):
    data = noisy(task)
    job = job_of(data)
    found = cross_fit(name, job, folds_of(job.rows))
    assert np.array_equal(np.sort(found.rows), job.rows)
    watched, floor = {"regression": ("r2", 0.85), "count": ("r2", 0.85), "multilabel": ("f1_micro", 0.6)}.get(
        task, ("accuracy", 0.75)
    )
    test = data.rows("test")
    for rows, scores in ((found.rows, found.scores), (test, found.estimator.scores(job.task, data.cells, test))):
        assert score(watched, job.task.outcome(scores, job.target[rows]))[0] > floor


def test_linear_counts_equal_scikit_learns_poisson_regression():
    data = noisy("count")
    job = job_of(data)
    found = cross_fit("linear", job, folds_of(job.rows))
    features = found.estimator.features.apply(summarize(data.cells))
    alpha = 1 / (STRENGTHS[found.places[0]] * len(job.rows))
    model = PoissonRegressor(alpha=alpha, max_iter=1000, tol=1e-8).fit(features[job.rows], job.target[job.rows])
    scores = found.estimator.scores(job.task, data.cells, data.rows("test"))
    assert (scores > 0).all()
    assert scores == pytest.approx(model.predict(features[data.rows("test")]), rel=0.02)


@pytest.mark.parametrize("name", baselines.names())
def test_a_fold_whose_counts_are_all_0_predicts_the_smallest_mean(name):
    data = noisy("count", rows=120)
    job = job_of(data)
    first, second = np.array_split(job.rows, 2)
    job = job_of(data, target=np.where(np.isin(np.arange(len(job.target)), second), job.target, 0))
    found = cross_fit(name, job, [Fold(second, first), Fold(first, second)])
    assert found.scores[len(first) :] == pytest.approx(0, abs=1e-9)
    assert (found.scores > 0).all() and np.isfinite(found.loss)
    nothing = cross_fit(name, job, [Fold(first, second)], refit=False).estimator
    assert nothing.scores(job.task, data.cells, first) == pytest.approx(0, abs=1e-9)
    assert type(nothing).restore(*nothing.state()).scores(job.task, data.cells, first) == pytest.approx(0, abs=1e-9)


def test_every_task_is_suited_or_known_to_be_left_out():
    for name in baselines.names():
        assert set(known_tasks(name)) == set(tasks.names()) - {"several"}


@pytest.mark.parametrize("name", baselines.names())
def test_predictions_of_a_fold_depend_on_no_label_of_it(name):
    """With other labels in a fold that no fold learns from, its scores stay; the other fold chose the strength."""
    data = noisy("binary", rows=300)
    job = job_of(data)
    learn, one, two = np.split(job.rows, [100, 150])
    folds, target, size = [Fold(learn, one), Fold(learn, two)], job.target.copy(), len(one)
    target[one] = np.random.default_rng(0).permutation(target[one])
    first, second = (cross_fit(name, job_of(data, target=own), folds, refit=False) for own in (job.target, target))
    assert np.array_equal(first.scores[:size], second.scores[:size])
    assert not np.array_equal(first.scores[size:], second.scores[size:])
    assert first.estimator is None


@pytest.mark.parametrize("name", baselines.names())
def test_a_single_fold_judges_and_keeps_the_model_of_its_rows(name):
    data = noisy("multiclass", rows=200)
    job = job_of(data)
    fold = Fold(data.rows("train"), data.rows("validation"))
    found = cross_fit(name, job, [fold], refit=False)
    assert np.allclose(found.estimator.scores(job.task, data.cells, fold.judge), found.scores, atol=1e-6)
    truth = job.target[fold.judge]
    assert found.loss == pytest.approx(-np.log(found.scores[np.arange(len(truth)), truth]).mean())


def test_the_place_on_the_path_follows_the_noise():
    """Where labels are noise, the strongest penalty is chosen; where they follow a rule exactly, a weak one."""
    random = np.random.default_rng(0)
    columns = {f"x{place}": random.normal(size=300) for place in range(20)}
    for truth, places in ((random.normal(size=300), {0, 1, 2}), (sum(columns.values()), {6, 7, 8})):
        data = experiment({**columns, "label": np.where(truth > 0, "yes", "no")})
        job = job_of(data)
        assert {*cross_fit("linear", job, folds_of(job.rows)).places} <= places
    assert len(STRENGTHS) == 9


@pytest.mark.parametrize("name", baselines.names())
def test_a_class_that_is_not_among_the_rows_to_learn_from_has_probability_0(name):
    data = noisy("multiclass", rows=200)
    job = job_of(data)
    of = [np.flatnonzero(job.target == place) for place in range(3)]
    two, one = Fold(np.concatenate(of[:2])[::2], of[2]), Fold(of[0][::2], of[1])
    found = cross_fit(name, job, [two, one], refit=False)
    assert np.isfinite(found.loss) and np.allclose(found.scores.sum(1), 1)
    assert (found.scores[: len(of[2]), 2] == 0).all()
    assert (found.scores[len(of[2]) :] == [1, 0, 0]).all()
    estimator = cross_fit(name, job, [one], refit=False).estimator
    json, arrays = estimator.state()
    restored = baselines.load(name).restore(json, arrays)
    assert (restored.scores(job.task, data.cells, data.rows("test")) == [1, 0, 0]).all()


@pytest.mark.parametrize("name", baselines.names())
def test_a_fold_without_rows_to_judge_uses_the_usual_strength(name):
    data = noisy("regression", rows=120)
    job = job_of(data)
    found = cross_fit(name, job, [Fold(job.rows, job.rows[:0])], refit=False)
    assert found.places == [baselines.load(name).usual] and np.isnan(found.loss) and found.scores.shape == (0,)
    assert (
        score("r2", job.task.outcome(found.estimator.scores(job.task, data.cells, job.rows), job.target[job.rows]))[0]
        > 0.8
    )


@pytest.mark.parametrize("name", baselines.names())
def test_some_of_the_columns_are_enough(name):
    data = noisy("binary", rows=120)
    job = job_of(data, cells=data.cells.only(["kind"]))
    found = cross_fit(name, job, folds_of(job.rows))
    assert found.estimator.columns == ["kind"]
    assert found.estimator.scores(job.task, data.cells, job.rows[:5]).shape == (5, 2)


@pytest.mark.parametrize("name", baselines.names())
def test_the_same_seed_gives_the_same_model(name):
    random = np.random.default_rng(0)
    words = np.array(["red", "blue", "old", "new", "car", "boat"])
    texts = [" ".join(random.choice(words, 8)) for _ in range(120)]
    data = experiment(
        {"text": texts, "x": random.normal(size=120), "label": ["a", "b"] * 60}, modalities={"text": "text"}
    )
    job = job_of(data)
    first, second = (cross_fit(name, job, folds_of(job.rows)).estimator.state() for _ in range(2))
    assert first[0] == second[0] and first[1].keys() == second[1].keys()
    assert all(np.array_equal(first[1][key], second[1][key]) for key in first[1])


@pytest.mark.parametrize("name", baselines.names())
@pytest.mark.parametrize("task", ["binary", "multilabel", "regression"])
def test_a_saved_model_gives_the_same_scores(name, task):
    data = noisy(task, rows=150)
    job = job_of(data)
    estimator = cross_fit(name, job, folds_of(job.rows, 2)).estimator
    restored = baselines.load(name).restore(*estimator.state())
    rows = data.rows("test")
    found, wanted = (each.scores(job.task, data.cells, rows) for each in (restored, estimator))
    assert np.array_equal(found, wanted)
    assert restored.parameters == estimator.parameters > 0
    assert estimator.scores(job.task, data.cells, rows[:0]).shape == (0, *wanted.shape[1:])
    with pytest.raises(ArtifactError):
        restored.check_task(noisy("multiclass", rows=60).plan.task)


FORGED = {
    "no models": {"models": []},
    "two models": lambda json: {"models": json["models"] * 2},
    "fewer classes": {"classes": 1},
    "no classes": {"classes": 0},
    "a class twice": {"seen": [[0, 0]]},
    "a class out of range": {"seen": [[0, 2]]},
    "a class missing": {"seen": [[0]]},
    "several": {"several": True, "classes": 3},
    "an unknown field": {"code": "print()"},
    "no features": {"features": {"form": "linear", "columns": []}},
}


@pytest.mark.parametrize("name", baselines.names())
def test_forged_models_are_refused(name):
    data = noisy("binary", rows=60)
    job = job_of(data)
    json, arrays = cross_fit(name, job, folds_of(job.rows, 2)).estimator.state()
    for forged in FORGED.values():
        with pytest.raises(ArtifactError):
            baselines.load(name).restore(json | (forged(json) if callable(forged) else forged), arrays)
    other = {"linear": "trees", "trees": "linear"}[name]
    with pytest.raises(ArtifactError):
        baselines.load(other).restore(json, arrays)
    with pytest.raises(ArtifactError):
        baselines.load(name).restore(json, {key: own for key, own in arrays.items() if not key.startswith("1.")})


def test_a_saved_model_needs_neither_scikit_learn_nor_lightgbm():
    code = """
import sys
sys.modules["sklearn"] = sys.modules["lightgbm"] = None
import numpy as np
from sensorium.baselines import FlatColumns
from sensorium.prepare.summaries import Summaries, Summary
from sensorium.baselines.linear import Linear, LinearModel
from sensorium.baselines.trees import Trees
number = Summary("numbers", np.array([[1.0], [3.0]], np.float32), np.ones(2, bool), np.zeros(0, int))
columns = Summaries({"x": number}, 2)
features = FlatColumns.learn(columns, "linear", 0)
model = Linear(features, 2, False, [[0, 1]], [LinearModel(np.ones((1, 1), np.float32), np.zeros(1))])
restored = Linear.restore(*model.state())
class Task:
    labels, targets = ["a", "b"], []
print(restored.scores(Task, columns, np.array([1])).round(3).tolist())
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[[0.269, 0.731]]"


@pytest.mark.parametrize("name", baselines.names())
def test_skewed_amounts_are_learned_on_the_transformed_scale_without_bias(name):
    random = np.random.default_rng(0)
    signal = random.normal(size=600)
    data = experiment(
        {"x": signal, "label": np.exp(1.2 * signal + 0.8 * random.normal(size=600)) * 1e4},
        task="regression",
        train={"target_transform": "log"},
    )
    job = job_of(data)
    found = cross_fit(name, job, folds_of(job.rows))
    assert len(found.estimator.errors) > 10
    truth = job.target[found.rows]
    assert found.scores.mean() == pytest.approx(truth.mean(), rel=0.2)  # 27% too low without a correction
    assert np.corrcoef(np.log(found.scores), np.log(truth))[0, 1] > 0.75
    restored = baselines.load(name).restore(*found.estimator.state())
    asked = data.rows("test")
    scores = found.estimator.scores(job.task, data.cells, asked)
    assert np.array_equal(restored.scores(job.task, data.cells, asked), scores)
    network = job.task.corrected(np.zeros((100, 1), np.float32), job.target[:100])  # errors of another model
    assert np.array_equal(found.estimator.scores(network, data.cells, asked), scores)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_losses_of_folds_are_those_of_the_predictions_out_of_fold(task):
    job = job_of(noisy(task))
    folds = folds_of(job.rows)
    twice = fold_losses("linear", [job, job], folds)
    assert twice.shape == (2, 3) and np.array_equal(*twice)
    sizes = [len(fold.judge) for fold in folds]
    assert np.average(twice[0], weights=sizes) == pytest.approx(cross_fit("linear", job, folds, refit=False).loss)
