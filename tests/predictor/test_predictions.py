"""A model does not change: its answers, with what was wrong, belong to the call that asked for them."""

import os
import threading
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch

import sensorium
from sensorium.findings import Problem, Problems

CLEAN = {"size": [1.5, 3.5], "words": ["red thing", "blue thing"], "colour": ["red", "blue"]}
FAULTY = {"size": ["1.5", "broken"], "words": ["red thing", None], "colour": ["red", "green"]}


@pytest.fixture(scope="module")
def model():
    random = np.random.default_rng(0)
    colour = np.array(["red", "blue"])[random.integers(0, 2, 120)]
    table = {
        "size": random.normal(np.where(colour == "red", 1, 3)),
        "words": [f"{name} thing" for name in colour],
        "colour": colour,
        "y": np.where(colour == "red", "a", "b"),
    }
    return sensorium.fit(table, "y", epochs=3, progress=False)


def reasons(found):
    return [(problem.row, problem.column, problem.reason) for problem in found.problems]


def test_predictions_hold_values_scores_presence_and_problems(model):
    found = model.predictions(FAULTY)
    assert found.values.tolist() == model.predict(FAULTY).tolist()
    assert np.array_equal(found.scores, model.predict_proba(FAULTY))
    assert found.labels == ("a", "b")
    assert {name: there.tolist() for name, there in found.present.items()} == {
        "size": [True, False],
        "words": [True, False],
        "colour": [True, True],
    }
    assert {(row, column) for row, column, _ in reasons(found)} >= {(1, "size"), (1, "colour")}
    assert len(found) == 2


def test_the_table_of_answers_names_what_was_wrong_with_a_row(model):
    answers = model.predictions({**FAULTY, "words": None} | {"words": ["red thing", "x"]}).to_arrow().to_pydict()
    assert list(answers) == ["row", "prediction", "probability_a", "probability_b", "problem"]
    assert answers["problem"][0] is None
    assert "size: " in answers["problem"][1] and "colour: " in answers["problem"][1]


def test_problems_of_the_table_are_reported_once(model, tmp_path):
    found = model.predictions({"size": [1.0, 2.0, None] * 3000})  # two chunks
    assert [problem.column for problem in found.problems.whole()] == ["words", "colour"]
    texts = found.to_arrow()["problem"].to_pylist()
    assert {text for text in texts if text} == {
        "the row has no value in any column: the prediction is the average of the training rows"
    }
    (tmp_path / "t.csv").write_text("size,words\n1.0,red thing\n\n2.0,blue thing\n")
    lines = model.predictions(tmp_path / "t.csv")
    assert sum("blank line" in problem.reason for problem in lines.problems) == 1
    assert lines.to_arrow()["problem"].to_pylist() == [None, None]
    lines.save(tmp_path / "o.csv")
    assert "no such column" not in (tmp_path / "o.csv").read_text()


def test_labels_cannot_imitate_rows_when_predictions_are_printed(model):
    forged = replace(model.predictions(CLEAN), values=np.array(["a\nrow 9: b", "b" * 5000], object))
    assert "\\nrow 9" in str(forged)
    assert len(str(forged)) < 1000


@pytest.mark.unit
def test_a_row_s_problems_stand_together_and_whole_columns_in_none():
    problems = Problems([Problem(1, "size", "no number"), Problem(1, "", "an empty row"), Problem(None, "x", "gone")])
    found = sensorium.Predictions(
        values=np.array(["a", "b"]),
        scores=np.array([[0.9, 0.1], [0.2, 0.8]]),
        labels=("a", "b"),
        present={"size": np.array([True, False])},
        problems=problems,
        _columns={"row": np.arange(2), "prediction": ["a", "b"]},
        _spelling={},
    )
    assert len(found) == 2
    assert found.to_arrow().to_pydict() == {
        "row": [0, 1],
        "prediction": ["a", "b"],
        "problem": [None, "size: no number; an empty row"],
    }


def test_amounts_have_no_labels():
    x = np.random.default_rng(0).normal(size=60)
    found = sensorium.fit({"x": x, "y": x * 2}, "y", epochs=1, progress=False).predictions({"x": [0.5, 1.0]})
    assert found.labels == () and found.scores.shape == (2,)
    assert np.array_equal(found.values, found.scores)
    assert found.to_arrow().column_names == ["row", "prediction", "problem"]


def test_a_model_can_not_be_changed(model):
    with pytest.raises(FrozenInstanceError):
        model.fitted = None
    with pytest.raises(FrozenInstanceError):
        model.problems = []
    model.card["rows"] = {}
    assert model.card["rows"]["train"]


@pytest.mark.parametrize(
    ("name", "successor"),
    [
        ("problems", "predictions(table).problems"),
        ("report", "progress=True"),
        ("predict_table", "to_arrow()"),
        ("bundle", "model.fitted"),
    ],
)
def test_what_was_removed_names_its_successor(model, name, successor):
    with pytest.raises(AttributeError, match="was removed") as caught:
        getattr(model, name)
    assert successor in str(caught.value)


def test_results_print_as_a_few_lines(model):
    table = {name: cells * 30 for name, cells in CLEAN.items()} | {"y": ["a", "b"] * 30}
    lines = str(model.evaluate(table)).splitlines()
    assert lines[0] == "60 rows (all rows); few rows (60)"
    assert any(line.startswith("accuracy ") and " to " in line for line in lines)
    assert [epoch["number"] for epoch in model.history] == [1, 2, 3]
    found = sensorium.inspect(table, "y")
    assert str(found).splitlines()[0].endswith("60 rows, 4 columns") and "size " in str(found)
    assert repr(found).startswith("<sensorium.Inspection") and len(repr(found)) < 200


def test_a_comparison_prints_its_models_and_its_verdict():
    random = np.random.default_rng(0)
    table = {"x": random.normal(size=90), "t": [f"parcel {k} came {k % 5} days late" for k in range(90)]}
    table["y"] = np.where(table["x"] > 0, "a", "b")
    found = sensorium.compare(table, "y", fusions=["concat"], baselines=["none"], epochs=1, progress=False)
    lines = str(found).splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [result.name for result in found.results]
    assert lines[-1] == found.verdict
    assert "recommended" in repr(found)


def test_threads_get_their_own_problems_and_answers(model):
    """Eight threads ask one model about clean rows and faulty ones."""
    expected = {id(rows): (model.predictions(rows), rows) for rows in (CLEAN, FAULTY)}
    wrong, barrier = [], threading.Barrier(8)

    def ask(rows):
        barrier.wait()
        right = expected[id(rows)][0]
        for _ in range(20):
            found = model.predictions(rows)
            if reasons(found) != reasons(right) or not np.allclose(found.scores, right.scores, atol=1e-6):
                wrong.append(reasons(found))

    threads = [threading.Thread(target=ask, args=((CLEAN, FAULTY)[place % 2],)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert reasons(expected[id(FAULTY)][0]) and not reasons(expected[id(CLEAN)][0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_answers_the_same(model):
    expected = model.predict_proba(CLEAN)
    torch.ones(512, 512) @ torch.ones(512, 512)  # threads of the parent, which a child does not have
    child = os.fork()
    if not child:
        try:
            found = model.predictions(CLEAN)
            os._exit(0 if np.allclose(found.scores, expected, atol=1e-6) and not found.problems else 3)
        finally:
            os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_predictions_print_a_summary(model):
    found = model.predictions({"size": ["1", "x", "2", "3", "1", "2", "3"], "words": ["red thing"] * 7})
    lines = str(found).splitlines()
    assert lines[0] == "7 rows; 1 row (14%) with a problem"
    assert lines[1].startswith("predicted: ") and lines[-3] == "… and 2 more rows"
    assert lines[-2:] == [f"! {group}" for group in found.problems.groups()]
    assert "'colour'" in lines[-2] and "first: row 1" in lines[-1]
    assert f"row 0: {found.values[0]} (probability {found.scores[0].max():.3f})" in lines
    counted = {label: int((found.values == label).sum()) for label in "ab"}
    assert all(f"{label} ({number})" in lines[1] for label, number in counted.items() if number)
    assert repr(found).startswith("<sensorium.Predictions of 7 rows: ") and len(repr(found)) < 80
    assert str(model.predictions(CLEAN)).splitlines()[0] == "2 rows; no row with a problem"


def test_predicted_numbers_and_several_targets_print_their_range():
    random = np.random.default_rng(0)
    table = {"x": random.normal(size=60), "y": random.normal(size=60), "z": random.choice(["k", "l"], 60)}
    several = sensorium.fit(table, ["y", "z"], epochs=1, width=8, progress=False).predictions({"x": [1.0, 2.0]})
    numbers = [row["y"] for row in several.values]
    assert f"y: {min(numbers):.4g} to {max(numbers):.4g}, median" in str(several)
    assert f"row 0: y: {numbers[0]:.4g}, z: {several.values[0]['z']}" in str(several)
