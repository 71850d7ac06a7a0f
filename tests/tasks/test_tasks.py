"""Labels come back as they were written; unseen ones are told; rare classes count."""

import numpy as np
import pytest
import torch

import sensorium
from sensorium.errors import SchemaError
from sensorium.registry import tasks
from sensorium.table import open_table
from tiers import tiered


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


def learn(task, cells, weight="auto"):
    return tasks.load(task).learn(column(cells), weight)


def fitted(labels, **settings):
    """A model of a column that tells the label outright."""
    rows = [labels[i % len(labels)] for i in range(80)]
    tell = [f"word{i % len(labels)} and more" for i in range(80)]
    return sensorium.fit({"tell": tell, "label": rows}, "label", epochs=25, progress=False, **settings), tell, rows


@pytest.mark.slow
@pytest.mark.parametrize(
    "labels",
    tiered(
        [[True, False], [0.5, 1.5], [10, 20, 30], ["Ünïcode 类", "x y", "z"]], [["yes", "no"], [1, 0], ["b", "a", "c"]]
    ),
    ids=str,
)
def test_labels_come_back_as_they_were_written(labels):
    model, tell, rows = fitted(labels, train={"modality_dropout": 0})
    answers = model.predict({"tell": tell}).tolist()
    assert answers == rows
    assert {type(answer) for answer in answers} == {type(label) for label in labels}
    assert sorted(model.labels, key=str) == sorted(labels, key=str)


@pytest.mark.slow
@pytest.mark.parametrize("separator", tiered(["|", ", "], [";"]))
def test_several_labels_in_a_text_come_back_as_one_text(separator):
    labels = [separator.join(names) for names in (["a", "b"], ["b"], ["a"])]
    model, tell, rows = fitted(labels, task="multilabel")
    split = [set(answer.split(separator.strip())) for answer in model.predict({"tell": tell})]
    assert split == [{part.strip() for part in row.split(separator.strip())} for row in rows]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["New York", "San Marino|Paris", "New Delhi"], ["New Delhi", "New York", "Paris", "San Marino"]),
        (["a b", "c", "b c"], ["a", "b", "c"]),
        (["a, b", "c", "Sci Fi"], ["Sci Fi", "a", "b", "c"]),
        (["one", "two"], ["one", "two"]),
    ],
)
def test_a_space_parts_labels_only_where_nothing_else_does(cells, labels):
    assert learn("multilabel", cells).labels == labels


@pytest.mark.unit
def test_a_label_that_is_often_right_weighs_less():
    cells = [["often", "rare"], *[["often"]] * 15, *[["even"], ["even", "often"]] * 2]
    weights = dict(zip((task := learn("multilabel", cells, "balanced")).labels, task.weights, strict=True))
    assert weights == pytest.approx({"even": 16 / 4, "often": 2 / 18, "rare": 10}, abs=1e-9)


def test_lists_of_labels_come_back_as_lists():
    model, tell, rows = fitted([["a", "b"], ["b"], []])
    assert model.task == "multilabel"
    assert model.predict({"tell": tell}).tolist() == rows


@pytest.mark.unit
@pytest.mark.parametrize(
    ("cells", "positive"),
    [(["no", "yes"], "yes"), (["false", "true"], "true"), ([0, 1], 1), (["neg", "pos"], "pos"), (["b", "a"], "b")],
)
def test_the_positive_class_is_the_one_that_says_yes(cells, positive):
    assert learn("binary", cells * 3).labels[1] == positive


@pytest.mark.unit
@pytest.mark.parametrize(("task", "cells"), [("binary", ["a", "b"] * 5), ("multiclass", ["a", "b", "c"] * 5)])
def test_a_label_not_seen_in_training_is_not_scored_and_told(task, cells):
    target = learn(task, cells).encode(column(["a", "new", None, "b"]))
    assert target.known.tolist() == [True, False, False, True]
    assert [(p.row, p.value) for p in target.problems] == [(1, "new")]


@pytest.mark.unit
def test_an_unseen_one_of_several_labels_is_left_out_and_told():
    target = learn("multilabel", [["a"], ["b"]]).encode(column([["a", "new"], None, ["b"]]))
    assert target.values[0].tolist() == [1, 0]
    assert target.known.tolist() == [True, False, True]
    assert [p.value for p in target.problems] == ["new"]


@pytest.mark.unit
def test_whole_numbers_match_floats_that_a_missing_cell_made_of_them():
    target = learn("multiclass", [1, 2, 3] * 4).encode(column([1.0, None, 3.0]))
    assert target.values[[0, 2]].tolist() == [0, 2]
    assert not target.problems


@pytest.mark.unit
@pytest.mark.parametrize(("rule", "ratio"), [("none", 1), ("balanced", 9), ("sqrt", 3), ("auto", 3)])
def test_class_weights_raise_the_rare_class_and_leave_the_mean(rule, ratio):
    weights = learn("binary", ["a"] * 90 + ["b"] * 10, rule).weights
    assert np.average(weights, weights=[90, 10]) == pytest.approx(1)
    assert weights[1] / weights[0] == pytest.approx(ratio)


@pytest.mark.unit
def test_balanced_classes_are_not_weighted_by_default():
    assert learn("multiclass", ["a", "b", "c"] * 10).weights == [1, 1, 1]


def test_weighting_finds_more_of_a_rare_class():
    """One number that overlaps: unweighted the rare class is hardly ever answered."""
    random = np.random.default_rng(0)
    rare = random.random(600) < 0.1
    table = {"x": random.normal(size=600) + 1.2 * rare, "label": np.where(rare, "rare", "usual")}
    found = {
        rule: (sensorium.fit(table, "label", epochs=8, progress=False, train={"class_weight": rule}).predict(table)
               == "rare").mean()
        for rule in ("none", "balanced")
    }  # fmt: skip
    assert found["balanced"] > found["none"] + 0.1


@pytest.mark.unit
def test_the_loss_of_a_class_is_scaled_by_its_weight():
    task = learn("multiclass", ["a"] * 6 + ["b"] * 3 + ["c"] * 1, "balanced")
    logits = torch.randn(3, 3, dtype=torch.float64)
    plain = torch.nn.functional.cross_entropy(logits, torch.arange(3), reduction="none")
    assert task.loss(logits, torch.arange(3)).item() == pytest.approx(
        float((plain * torch.tensor(task.weights)).mean())
    )


@pytest.mark.unit
@pytest.mark.parametrize("logit", [-1000.0, 0.0, 1000.0])
def test_extreme_logits_give_probabilities(logit):
    for task, cells in (("binary", ["a", "b"]), ("multilabel", [["a"], ["b"]]), ("multiclass", ["a", "b", "c"])):
        learnt = learn(task, cells * 4)
        scores = learnt.scores(np.full((2, learnt.outputs), logit, np.float32))
        assert np.isfinite(scores).all()
        assert ((scores >= 0) & (scores <= 1)).all()


def test_values_come_back_in_their_own_unit():
    x = np.linspace(0, 1, 200)
    model = sensorium.fit({"x": x, "y": 1e6 + 5e4 * x}, "y", epochs=30, progress=False)
    assert model.task == "regression"
    assert np.abs(model.predict({"x": x}) - (1e6 + 5e4 * x)).max() < 8e3
    assert model.test.metrics["r2"] > 0.97


@pytest.mark.unit
def test_values_that_are_missing_or_infinite_are_not_used():
    target = learn("regression", [1.0, 2.0, None]).encode(column([1.0, float("inf"), None, float("nan")]))
    assert target.known.tolist() == [True, False, False, False]
    assert [problem.row for problem in target.problems] == [1]


@pytest.mark.unit
@pytest.mark.parametrize(("task", "cells"), [("binary", ["a"] * 4), ("multiclass", ["a"] * 4), ("multilabel", [[]])])
def test_training_rows_without_a_choice_are_refused(task, cells):
    with pytest.raises(SchemaError):
        learn(task, cells)
