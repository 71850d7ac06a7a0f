"""Labels of another table find those of training, whatever type they arrive in; what finds none is told."""

import json

import numpy as np
import pytest

import sensorium
from sensorium.labels import read_labels
from sensorium.registry import tasks
from sensorium.table import open_table
from sensorium.tasks import learn_task


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


def read(task, cells, **settings):
    """A task that learnt these cells as a fit does."""
    config = sensorium.Config.gather(settings)
    labels, reading = read_labels(column(cells), config)
    return learn_task(task, labels, np.arange(len(cells)), reading, config)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("task", "learnt", "given", "places"),
    [
        ("binary", [0, 1], [True, False, None], [1, 0, None]),
        ("binary", [0, 1], ["True", "false", "1"], [1, 0, 1]),
        ("binary", [0, 1], ["yes", "no", "unsure"], [1, 0, None]),
        ("binary", [True, False], [1, 0, 1], [1, 0, 1]),
        ("binary", [True, False], ["1", "0", "x"], [1, 0, None]),
        ("binary", ["yes", "no"], [True, False, None], [1, 0, None]),
        ("binary", ["0", "1", "NA"], ["1", "NA", "0"], [1, None, 0]),
        ("binary", ["0", "1", "NA"], [1.0, None, 0.0], [1, None, 0]),
        ("multiclass", ["1.1", "1.10", "2"], ["1.10", "1.1", "2.0"], [1, 0, 2]),
        ("multiclass", ["1.1", "1.10", "2"], [1.1, 2.0, 3.0], [None, 2, None]),
        ("multiclass", ["no", "NO", "yes"], ["NO ", " no", "No"], [0, 1, None]),
        ("multiclass", [1, 2, 3], ["1", "2.0", "three"], [0, 1, None]),
        ("multiclass", [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 0, 1], [1, 0, 0], [0, 1, 0]], [2, 0, 1]),
        ("multiclass", [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [2, 0, 1], [2, 0, 1]),
        ("multiclass", [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 0, 1], [1, 1, 0], [0, 1]], [2, None, None]),
    ],
)
def test_labels_are_found_whatever_type_they_arrive_in(task, learnt, given, places):
    found = read(task, learnt * 4).encode(column(given))
    assert [int(v) if known else None for v, known in zip(found.values, found.known, strict=True)] == places
    wrong = [row for row, cell in enumerate(given) if places[row] is None and cell not in (None, "NA")]
    assert [problem.row for problem in found.problems] == wrong


@pytest.mark.unit
def test_a_number_that_two_labels_have_as_their_value_is_told_so():
    (problem,) = read("multiclass", ["1.1", "1.10", "2"] * 4).encode(column([1.1, 2.0])).problems
    assert problem.row == 0 and "several labels are equal to this number" in problem.reason


@pytest.mark.unit
@pytest.mark.parametrize("case", ["exact", "fold_case"])
def test_case_is_folded_only_where_that_is_set(case):
    learnt = read("multilabel", [["a", "B"], ["A"], ["a"]] * 4, table={"labels": case})
    assert learnt.labels == (["B", "a"] if case == "fold_case" else ["A", "B", "a"])
    (problem,) = [*learnt.findings("c"), None][:1]
    assert (problem is None) == (case == "fold_case")
    found = learnt.encode(column([["b", "A"]]))
    assert found.values[0].tolist() == ([1, 1] if case == "fold_case" else [1, 0, 0])


@pytest.mark.unit
@pytest.mark.parametrize(
    "cells", [["0", "1", "NA"], ["no", "NO ", "yes"], [[1, 0], [0, 1]], ["$1,200.50", "$900", "n.b."], ["a|b", "b"]]
)
def test_how_labels_are_read_is_saved_with_the_task(cells):
    name = {"$1,200.50": "regression", "a|b": "multilabel"}.get(str(cells[0]), "multiclass")
    task = read(name, cells * 6)
    fields, arrays = task.state()
    again = tasks.load(name).restore(json.loads(json.dumps(fields)), arrays)
    for given in (cells, [str(cell) for cell in cells]):
        before, after = task.encode(column(given)), again.encode(column(given))
        np.testing.assert_array_equal(before.values, after.values)
        np.testing.assert_array_equal(before.known, after.known)
    assert again.findings("c") == task.findings("c")


@pytest.mark.unit
def test_tasks_saved_without_a_reading_still_load():
    old = tasks.load("binary").restore({"classes": [0, 1], "weights": [1.0, 1.0]}, {})
    assert old.encode(column(["1", "0"])).values.tolist() == [1, 0]
    amount = tasks.load("regression").restore({"mean": 1.0, "deviation": 2.0}, {})
    assert amount.encode(column(["1,200", "3"])).values.tolist() == [1200, 3]


def test_a_model_answers_and_evaluates_in_the_labels_of_its_table(tmp_path):
    rows = [f"{row % 2},{['0', '1'][row % 2] if row % 9 else 'NA'}" for row in range(90)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows]))
    model = sensorium.fit(tmp_path / "t.csv", "y", epochs=8, progress=False, out=tmp_path / "run")
    assert model.labels == [0, 1] and model.card["rows"]["train"] + model.card["rows"]["validation"] < 80
    assert [p.reason for p in model.fit_problems.whole() if "'NA'" in p.reason]
    again = sensorium.load(tmp_path / "run")
    assert again.evaluate(tmp_path / "t.csv").n == model.test.n  # the very table: the test rows are known
    for labels in ([False, True], ["False", "True"], ["0", "1"], [0.0, 1.0], ["no", "yes"]):
        found = again.evaluate({"x": [0, 1, 0, 1], "y": labels * 2})
        assert found.n == 4 and found.metrics["accuracy"] == 1 and not len(found.problems)
    odd = again.evaluate({"x": [0, 1, 0, 1], "y": ["0", "1", "2", "NA"]})
    assert odd.n == 2 and [problem.row for problem in odd.problems] == [2]


def test_one_hot_labels_are_answered_by_place():
    x = np.random.default_rng(0).normal(size=120)
    made = {"x": x, "y": [[1, 0] if value > 0 else [0, 1] for value in x]}
    model = sensorium.fit(made, "y", epochs=8, progress=False)
    assert (model.task, model.labels) == ("binary", [0, 1])
    assert model.predict({"x": [-2.0, 2.0]}).tolist() == [1, 0]


def test_a_saved_amount_reads_labels_in_its_own_notation(tmp_path):
    values = np.random.default_rng(0).uniform(100, 900, 80)
    rows = [f'{value:.1f};"{value:.3f}"'.replace(".", ",") for value in values]
    (tmp_path / "t.csv").write_text("\n".join(["x;y", *rows]))
    model = sensorium.fit(tmp_path / "t.csv", "y", epochs=1, progress=False, out=tmp_path / "run")
    assert model.task == "regression" and 100 < model.fitted.task.mean < 900
    task = sensorium.load(tmp_path / "run").fitted.task
    assert task.encode(column(["0,250", "1.250,5", "x"])).values.tolist() == [0.25, 1250.5, 0]
