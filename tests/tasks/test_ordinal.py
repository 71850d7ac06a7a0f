"""Ordinal targets: where the order comes from, probabilities, ranks, and what the order is good for."""

import contextlib
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import sensorium
from sensorium.config import Config
from sensorium.errors import ArtifactError, ConfigError, SchemaError
from sensorium.metrics import score
from sensorium.registry import tasks
from sensorium.table import open_table
from sensorium.tasks._order import check_order_is_used

SIZES = ["small", "medium", "large"]
ORDER = {"size": SIZES}
FAST = {"preset": "fast", "progress": False}


def column(cells, name="size"):
    return open_table({name: cells, "row": list(range(len(cells)))}).column(name)


def learn(cells, order=None, weight="none"):
    return tasks.load("ordinal").learn(column(cells), weight, order=order)


def planted(rows, seed, noise=1.0):
    """Return a table whose rating is the noisy sum of two numbers, cut into five classes, and the cuts."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 6))
    latent = x[:, 0] + x[:, 1] + noise * random.logistic(size=rows) * 0.55
    rating = np.digitize(latent, [-1.8, -0.6, 0.6, 1.8]) + 1
    return {**{f"x{k}": x[:, k] for k in range(6)}, "rating": rating.tolist()}


@pytest.mark.unit
def test_numbers_are_ordered_by_value():
    assert learn([10, 9, 1, 2] * 3).labels == [1, 2, 9, 10]
    assert learn(["10", "9", "1.5", "2"] * 3).labels == ["1.5", "2", "9", "10"]


@pytest.mark.unit
def test_the_settings_list_the_order_of_words():
    assert learn(["large", "small", "medium"] * 3, ORDER).labels == SIZES
    assert learn([3, 1, 2] * 3, {"size": ["3", "1", "2"]}).labels == [3, 1, 2]


@pytest.mark.unit
def test_words_without_an_order_are_refused_with_the_setting():
    with pytest.raises(SchemaError, match=r"(?s)order of the labels is unknown.*table\.order\.size"):
        learn(SIZES * 3)
    with pytest.raises(SchemaError, match=r"(?s)no place for 'large'"):
        learn(SIZES * 3, {"size": ["small", "medium"]})
    with pytest.raises(SchemaError, match="several times"):
        learn([1, 2] * 3, {"size": ["1", "1.0", "2"]})
    with pytest.raises(SchemaError, match="no place for 'LARGE'"):
        learn(["LARGE", "small"] * 3, ORDER)
    with pytest.raises(SchemaError, match="120 different numbers"):
        learn(list(range(120)))


@pytest.mark.unit
def test_case_counts_in_the_order_as_in_labels():
    task = tasks.load("ordinal").learn(column(["LARGE", "Small"] * 3), "none", order=ORDER, fold_case=True)
    assert task.labels == ["Small", "LARGE"] and task.absent == ["medium"]
    settings = {"table": {"order": {"size": ["small", "large", "Small"]}}}
    assert Config.gather(settings).table.order["size"][2] == "Small"
    settings["table"]["labels"] = "fold_case"
    for order in (settings, {"table": {"order": {"size": ["a", "b", "a "]}}}):
        with pytest.raises(ConfigError, match=r"(?s)several times for 'size'"):
            Config.gather(order)


@pytest.mark.unit
def test_labels_of_the_order_without_a_training_row_are_told():
    task = learn(["small", "large"] * 3, {"size": [*SIZES, "huge"]})
    told = [problem for problem in task.findings("size") if "'medium', 'huge'" in problem.reason]
    assert len(told) == 1 and "table.order.size" in told[0].cure
    fields, arrays = task.state()
    assert tasks.load("ordinal").restore(json.loads(json.dumps(fields)), arrays).absent == ["medium", "huge"]
    assert not learn(SIZES * 3, ORDER).findings("size")


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "parquet"])
def test_ordered_categories_give_the_order(kind, tmp_path):
    cells = ["large", "small", None, "medium"] * 5
    frame = pd.DataFrame({"size": pd.Categorical(cells, SIZES, ordered=True), "x": range(20)})
    file = tmp_path / "table.parquet"
    pq.write_table(pa.Table.from_pandas(frame), file)
    table = {
        "pandas": lambda: frame,
        "polars": lambda: pl.DataFrame({"size": pl.Series(cells, dtype=pl.Enum(SIZES)), "x": range(20)}),
        "arrow": lambda: pa.Table.from_pandas(frame),
        "parquet": lambda: (
            pq.write_table(pa.Table.from_pandas(frame), tmp_path / "t.parquet") or tmp_path / "t.parquet"
        ),
    }[kind]()
    own = open_table(table).column("size")
    assert tasks.load("ordinal").learn(own, "none").labels == SIZES
    assert tasks.load("ordinal").learn(own, "none", order={"size": SIZES[::-1]}).labels == SIZES[::-1]
    assert not open_table(frame.astype({"size": object})).column("size").origin.order


def test_inspect_suggests_the_task_and_the_default_stays():
    found = sensorium.inspect(planted(80, 0), target="rating").target
    assert found["task"] == "multiclass" and "5 whole numbers" in found["caution"]
    assert "--task ordinal" in found["caution"]
    frame = pd.DataFrame({"size": pd.Categorical(SIZES * 20, SIZES, ordered=True), "x": np.arange(60) % 7})
    found = sensorium.inspect(frame, target="size").target
    assert found["task"] == "multiclass" and "--task ordinal" in found["caution"]
    found = sensorium.inspect(frame, target="size", config={"task": "ordinal"}).target
    assert found["task"] == "ordinal" and not found["caution"]


@given(st.lists(st.lists(st.floats(-3, 3, width=32), min_size=4, max_size=4), min_size=1, max_size=5))
@pytest.mark.unit
def test_probabilities_sum_to_one_and_the_median_is_predicted(logits):
    task, logits = learn([1, 2, 3, 4] * 2), np.array(logits, np.float32)
    scores = task.scores(logits)
    np.testing.assert_allclose(scores.sum(1), 1)
    for row, place in zip(scores, task.predicted(scores), strict=True):
        assert row[: place + 1].sum() >= 0.5 - 1e-9 and row[:place].sum() < 0.5
    heated = task.scores(task.scaled(logits, 2.5))
    np.testing.assert_allclose(heated, task.tempered(scores, 2.5), atol=1e-6)
    extreme = task.scores(1e4 * logits)
    assert np.isfinite(extreme).all() and np.allclose(extreme.sum(1), 1)


@pytest.mark.unit
def test_the_loss_is_the_weighted_log_loss_of_the_probabilities():
    task = learn([1] * 6 + [2] * 3 + [3], weight="balanced")
    logits, target = torch.randn(3, 3, dtype=torch.float64), torch.arange(3)
    logs = -np.log(task.scores(logits.numpy())[np.arange(3), np.arange(3)])
    assert task.loss(logits, target).item() == pytest.approx((logs * task.weights).mean())


@pytest.mark.unit
def test_one_output_moves_a_row_along_the_scale():
    task, ranks = learn([1, 2, 3, 4, 5] * 2), np.arange(5)
    means = [float(task.scores(np.array([[z, 0, 0, 0, 0]], np.float32))[0] @ ranks) for z in (-4, -1, 0, 1, 4)]
    assert means == sorted(means) and means[2] == pytest.approx(2) and means[0] < 0.1 and means[4] > 3.9


@pytest.mark.unit
def test_a_model_that_is_continued_refuses_an_unknown_class():
    task = learn([1, 2, 3] * 3)
    same, kept = task.extend(column([3, 3, 1]), "balanced")
    assert same.labels == [1, 2, 3] and kept == [0, 1, 2] and same.weights != task.weights
    with pytest.raises(SchemaError, match="labels that the model does not know: 4"):
        task.extend(column([1, 4]), "none")


@pytest.mark.unit
def test_an_order_that_nothing_uses_is_an_error():
    table = {"x": [k * k % 7 for k in range(20)], "size": SIZES * 6 + SIZES[:2]}
    with pytest.raises(ConfigError, match="'x' is not an ordinal target"):
        sensorium.fit(table, "size", config={"table": {"order": {"x": ["1", "2"]}}}, **FAST)
    with pytest.raises(ConfigError, match="'size' is not an ordinal target"):
        sensorium.fit(table, "size", task="multiclass", config={"table": {"order": ORDER}}, **FAST)
    for tasks_of, cure in (
        ({"a": "regression", "size": "ordinal", "sise": "ordinal"}, ""),
        ({"a": "regression", "size": "ordinal"}, "did you mean 'size'"),
        ({"a": "regression", "sise": "multiclass"}, r"tasks\.sise=ordinal"),
        ({"sise": "multiclass"}, "--task ordinal"),
    ):
        with pytest.raises(ConfigError, match=cure) if cure else contextlib.nullcontext():
            check_order_is_used({"sise": ["1", "2"]}, tasks_of)


@pytest.mark.unit
def test_settings_that_need_logits_of_classes_are_an_error():
    table = {"x": [k * k % 7 / 3 for k in range(20)], "y": [k % 5 / 2 for k in range(20)], "size": [0, 1, 2, 1] * 5}
    energy = {"name": "late", "weights": "energy"}
    for task in ("ordinal", "count", "regression"):
        with pytest.raises(ConfigError, match="weights=energy does not support the task"):
            sensorium.fit(table, "size", task=task, fusion=energy, **FAST)
    with pytest.raises(ConfigError, match="'cosine' does not support the task ordinal"):
        sensorium.fit(table, "size", task="ordinal", head="cosine", **FAST)


def test_the_order_of_the_settings_chooses_the_task_and_a_saved_model_predicts_the_same(tmp_path):
    table = planted(200, 1)
    words = ["none", "mild", "moderate", "severe", "critical"]
    table["rating"] = [words[k - 1] for k in table["rating"]]
    model = sensorium.fit(
        table, "rating", epochs=3, config={"table": {"order": {"rating": words}}}, out=tmp_path / "run", **FAST
    )
    assert model.task == "ordinal" and model.labels == words
    probabilities = model.predict_proba(table)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    other = {"table": {"order": {"rating": words[::-1]}}}
    with pytest.raises(ConfigError, match=r"cannot change table\.order"):
        sensorium.fit(table, start=tmp_path / "run", config=other, progress=False)
    assert sensorium.fit(table, start=tmp_path / "run", epochs=1, progress=False).labels == words
    again = sensorium.load(tmp_path / "run")
    np.testing.assert_array_equal(again.predict_proba(table), probabilities)
    expected = [words[k] for k in (probabilities.cumsum(1)[:, :-1] < 0.5).sum(1)]
    assert again.predict(table).tolist() == expected
    assert {"quadratic_weighted_kappa", "rank_mae", "spearman", "log_loss", "accuracy"} <= {
        *again.evaluate(table).metrics
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("classes", ["a"]),
        ("classes", ["a", "a", "b"]),
        ("classes", "abc"),
        ("classes", [["a"], "b", "c"]),
        ("weights", [1.0]),
        ("weights", [1.0, -1.0, 1.0]),
        ("order", ["a"]),
        ("absent", "abc"),
        ("absent", [1]),
    ],
)
@pytest.mark.unit
def test_a_forged_task_is_refused(key, value):
    fields, arrays = learn([1, 2, 3] * 3).state()
    fields = json.loads(json.dumps(fields)) | {key: value}
    with pytest.raises(ArtifactError):
        tasks.load("ordinal").restore(fields, arrays)


def test_several_targets_may_have_an_ordinal_one():
    table = planted(160, 2)
    table["size"] = [SIZES[min(2, rating // 2)] for rating in table["rating"]]
    model = sensorium.fit(table, ["size", "x0"], epochs=2, config={"table": {"order": ORDER}}, **FAST)
    answers = model.predict(table)[0]
    assert set(answers) == {"size", "x0"} and answers["size"] in SIZES
    assert any(name.endswith("size.quadratic_weighted_kappa") for name in model.evaluate(table).metrics)


@pytest.mark.parametrize("again", [False, True], ids=["ordered", "plain"])
def test_ordered_categories_keep_their_order_among_several_targets(again):
    cells = [SIZES[k % 3] for k in range(40)]
    kind = pd.Categorical(cells, SIZES, ordered=not again)
    frame = pd.DataFrame({"size": kind, "x": np.arange(40) ** 2 % 11 / 2, "y": np.arange(40) ** 2 % 37 / 3})
    targets = {"table": {"targets": {"both": ["size", "y"]}}}
    both = open_table(frame, Config.gather(targets).table).column("both")
    assert both.take(np.arange(9)).parts["size"].origin.order == (() if again else tuple(SIZES))
    assert not both.origin.order and not both.parts["y"].origin.order
    settings = {"tasks": {"size": "ordinal"}}
    if again:
        with pytest.raises(SchemaError, match="order of the labels is unknown"):
            sensorium.fit(frame, ["size", "y"], config=settings, **FAST)
    else:
        model = sensorium.fit(frame, ["size", "y"], epochs=1, config=settings, **FAST)
        assert "size: ordinal" in sensorium.inspect(frame, target=["size", "y"], config=settings).target["reason"]
        assert model.labels == [*(f"size={size}" for size in SIZES), "y"]


def judged(task, train, test, order=None, epochs=12, seed=0):
    settings = {"table": {"order": {"rating": order}}} if order else {}
    model = sensorium.fit(train, "rating", task=task, epochs=epochs, seed=seed, config=settings, **FAST)
    probabilities, labels = model.predict_proba(test), model.labels
    return probabilities[:, [labels.index(k) for k in range(1, 6)]], np.array(model.predict(test).tolist())


@pytest.mark.slow
def test_the_order_helps_and_a_wrong_order_does_not():
    """Means over three seeds on a planted table: the error in ranks, and the log loss."""
    errors, losses = {}, {}
    for seed in range(3):
        train, test = planted(150, seed), planted(2000, 100 + seed)
        truth = np.array(test["rating"])
        for name, task, order in (
            ("ordinal", "ordinal", None),
            ("classes", "multiclass", None),
            ("shuffled", "ordinal", ["3", "1", "5", "2", "4"]),
        ):
            probabilities, answers = judged(task, train, test, order, seed=seed)
            errors.setdefault(name, []).append(np.abs(answers - truth).mean())
            losses.setdefault(name, []).append(-np.log(probabilities[np.arange(2000), truth - 1]).mean())
    errors, losses = ({name: np.mean(own) for name, own in each.items()} for each in (errors, losses))
    assert errors["ordinal"] <= errors["classes"] and errors["ordinal"] < errors["shuffled"]
    assert losses["ordinal"] < losses["shuffled"]


@pytest.mark.slow
def test_a_blend_and_a_comparison_work_on_ordered_classes(tmp_path):
    table = planted(300, 3)
    table["note"] = [f"film w{k} was rather {'good' if r > 3 else 'bad'}" for k, r in enumerate(table["rating"])]
    settings = {"task": "ordinal", "progress": False}
    model = sensorium.fit(table, "rating", preset="good", epochs=3, out=tmp_path / "run", **settings)
    probabilities = model.predict_proba(table)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    np.testing.assert_array_equal(sensorium.load(tmp_path / "run").predict_proba(table), probabilities)
    found = sensorium.compare(table, "rating", epochs=2, out=tmp_path / "compare", **settings)
    names = {result.name for result in found.results}
    assert {"linear", "trees"} <= names
    assert all("quadratic_weighted_kappa" in result.evaluation.metrics for result in found.results)


@pytest.mark.unit
def test_ranks_are_scored():
    task = learn([1, 2, 3] * 3)
    scores = np.array([[0.9, 0.1, 0], [0.4, 0.2, 0.4], [0, 0.1, 0.9], [0.9, 0.1, 0]])
    outcome = task.outcome(scores, np.array([0, 1, 2, 2]))
    assert outcome.predicted.tolist() == [0, 1, 2, 0]  # the second by its median
    assert score("rank_mae", outcome)[0] == 0.5
