"""Counts: Poisson loss, means that are never negative, and labels that are no counts."""

import json

import numpy as np
import pytest
import torch

import sensorium
from sensorium.errors import ArtifactError, ConfigError, SchemaError
from sensorium.registry import tasks
from sensorium.table import open_table

FAST = {"preset": "fast", "progress": False}


def column(cells):
    return open_table({"visits": cells, "row": list(range(len(cells)))}).column("visits")


def learn(cells, **options):
    return tasks.load("count").learn(column(cells), "none", **options)


def planted(rows, seed):
    """Return a table of Poisson counts, whose logarithmic mean is linear in two of three numbers."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3))
    visits = random.poisson(np.exp(0.3 + 0.8 * x[:, 0] - 0.5 * x[:, 1]))
    return {**{f"x{k}": x[:, k] for k in range(3)}, "visits": visits.tolist()}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("cells", "finding"),
    [
        ([0, 1, -2] * 3, "-2 is negative"),
        ([0.0, 1.5, 2.0] * 3, "1.5 is fractional"),
        ([0, 1, 10**16] * 9, "too large"),
        ([0, 0, 0], "are 0"),
        (["a", "b", "c"], "no label is a number"),
    ],
    ids=str,
)
def test_labels_that_are_no_counts_are_an_error(cells, finding):
    with pytest.raises(SchemaError, match=finding):
        learn(cells, keep_outliers=True)


def test_a_negative_label_outside_the_training_rows_is_an_error_too():
    table = planted(100, 0)
    split = ["train"] * 60 + ["validation"] * 20 + ["test"] * 20
    table["visits"][99] = -1
    with pytest.raises(SchemaError, match="-1 is negative"):
        sensorium.fit(table | {"split": split}, "visits", task="count", split={"column": "split"}, **FAST)


@pytest.mark.unit
def test_labels_of_another_table_that_are_no_counts_are_not_scored_and_told():
    target = learn([0, 1, 2, 7] * 3).encode(column([3.0, -1.0, None, 0.5]))
    assert target.known.tolist() == [True, False, False, False]
    assert [(p.row, p.value) for p in target.problems] == [(1, "-1"), (3, "0.5")]


@pytest.mark.unit
def test_the_loss_is_the_poisson_log_likelihood_up_to_a_scale_and_a_constant():
    task, target = learn([0, 1, 2, 9] * 3), torch.tensor([0.0, 2.0, 5.0], dtype=torch.float64)
    losses = []
    for seed in (0, 1):
        logits = torch.randn(3, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        means = torch.from_numpy(task.scores(logits.numpy()))
        plain = torch.nn.functional.poisson_nll_loss(means, target, log_input=False, eps=0)
        losses.append((task.loss(logits, target).item() * task.mean, plain.item()))
    assert losses[0][0] - losses[1][0] == pytest.approx(losses[0][1] - losses[1][1])


@pytest.mark.unit
def test_large_logits_stay_finite_and_predictions_stay_in_their_range():
    task = learn([0, 1, 2, 9] * 3)
    logits = torch.tensor([[-1e6], [0.0], [1e6]], requires_grad=True)
    task.loss(logits, torch.tensor([1.0, 1.0, 1.0])).backward()
    assert torch.isfinite(logits.grad).all() and logits.grad[2] > 0
    scores = task.scores(logits.detach().numpy())
    assert scores[0] > 0 and scores[1] == pytest.approx(3.0) and scores[2] == pytest.approx(90.0)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("key", "value"), [("mean", 0.0), ("mean", -1.0), ("mean", 1e300), ("largest", 0.5), ("largest", "9"), ("more", 1)]
)
def test_a_forged_task_is_refused(key, value):
    fields, arrays = learn([0, 1, 2, 9] * 3).state()
    with pytest.raises(ArtifactError):
        tasks.load("count").restore(json.loads(json.dumps(fields)) | {key: value}, arrays)


def test_inspect_suggests_the_task_and_the_default_stays():
    table = planted(200, 1)
    table["visits"][:25] = range(25)
    found = sensorium.inspect(table, target="visits").target
    assert found["task"] == "regression" and "--task count" in found["caution"]
    table["visits"] = [k % 5 for k in range(200)]
    found = sensorium.inspect(table, target="visits").target
    assert found["task"] == "multiclass" and "--task count" in found["caution"]
    found = sensorium.inspect(table, target="visits", config={"task": "count"}).target
    assert found["task"] == "count" and not found["labels"]


@pytest.mark.unit
def test_settings_of_other_tasks_are_an_error():
    for settings in ({"target_transform": "log"}, {"loss": "huber"}, {"class_weight": "balanced"}):
        with pytest.raises(ConfigError, match="count has no"):
            sensorium.fit(planted(60, 0), "visits", task="count", train=settings, **FAST)


def test_a_saved_model_predicts_the_same_means(tmp_path):
    table = planted(200, 2)
    model = sensorium.fit(table, "visits", task="count", epochs=3, out=tmp_path / "run", **FAST)
    predicted = np.array(model.predict(table).tolist())
    assert model.task == "count" and (predicted > 0).all()
    np.testing.assert_array_equal(sensorium.load(tmp_path / "run").predict(table).tolist(), predicted)
    assert {"mean_poisson_deviance", "mae", "median_absolute_error", "r2", "rmse", "spearman"} == {
        *model.evaluate(table).metrics
    }


def test_one_of_several_targets_may_be_a_count():
    table = planted(120, 5)
    model = sensorium.fit(table, ["visits", "x2"], epochs=2, config={"tasks": {"visits": "count"}}, **FAST)
    assert all(answer["visits"] > 0 for answer in model.predict(table).tolist())
    names = {*model.evaluate(table).metrics}
    assert "visits.mean_poisson_deviance" in names and "x2.mean_poisson_deviance" not in names


@pytest.mark.slow
def test_a_blend_is_fitted_if_one_group_has_all_events():
    table = planted(120, 6)
    table["ward"] = [f"ward {k // 20}" for k in range(120)]
    table["visits"] = [visits if 40 <= k < 60 else 0 for k, visits in enumerate(table["visits"])]
    split = {"group": "ward", "validation": 1 / 6, "test": 0}
    model = sensorium.fit(table, "visits", task="count", preset="good", split=split, progress=False, seed=1)
    predicted = np.array(model.predict(table).tolist())
    assert np.isfinite(predicted).all() and (predicted > 0).all()


@pytest.mark.slow
def test_a_blend_and_a_comparison_work_on_counts(tmp_path):
    table, test = planted(240, 3), planted(1000, 4)
    for each in (table, test):
        each["note"] = [f"day w{k} was {'busy' if x > 0 else 'quiet'}" for k, x in enumerate(each["x2"])]
    model = sensorium.fit(table, "visits", task="count", preset="good", out=tmp_path / "run", progress=False)
    again = sensorium.load(tmp_path / "run")
    np.testing.assert_array_equal(again.predict(test).tolist(), model.predict(test).tolist())
    truth = np.array(test["visits"], float)
    deviance = model.evaluate(test).metrics["mean_poisson_deviance"]
    means = np.full(1000, np.mean(table["visits"]))
    constant = 2 * np.mean(np.where(truth > 0, truth * np.log(np.maximum(truth, 1) / means), 0) - truth + means)
    assert deviance < 0.75 * constant
    found = sensorium.compare(table, "visits", task="count", epochs=2, out=tmp_path / "compare", progress=False)
    assert {"linear", "trees"} <= {result.name for result in found.results}
