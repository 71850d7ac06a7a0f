"""`evaluate` with curves, operating points and another threshold; `predict` with another threshold."""

import csv

import pytest
from calls import answer, main

import sensorium


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A table with two classes, and a model of it."""
    folder = tmp_path_factory.mktemp("two_classes")
    rows = [
        (k % 17, "ill" if k % 17 + k % 5 > 12 else "well", ("train", "validation", "test")[k % 3]) for k in range(150)
    ]
    table = folder / "table.csv"
    table.write_text("\n".join(["dose,state,split", *(f"{dose},{state},{split}" for dose, state, split in rows)]))
    sensorium.fit(table, "state", preset="fast", epochs=1, progress=False).save(folder / "model")
    return str(folder / "model"), str(table)


def test_evaluate_shows_the_confusion_matrix_and_operating_points(trained):
    found = main("evaluate", *trained, "--prevalence", "0.02")
    assert found.returncode == 0, found.stderr
    assert "confusion matrix" in found.stdout
    assert "at a prevalence of 0.02" in found.stdout


def test_json_has_curves_and_operating_points(trained):
    found = answer("evaluate", *trained, "--curves", "--prevalence", "0.1")
    assert sum(map(sum, found["confusion"]["counts"])) == found["n"] == 50
    assert {*found["curves"]} == {"roc", "precision_recall", "reliability"}
    (points,) = found["operating_points"]
    assert (points["prevalence"], points["stated"], points["points"][-1]["fixed"]) == (0.1, True, "threshold")
    assert points["points"][-1]["threshold"] == 0.5


def test_a_prevalence_that_cannot_be_is_refused_before_rows_are_scored(trained, monkeypatch):
    monkeypatch.setattr(sensorium.Model, "evaluate", lambda *_, **__: pytest.fail("rows are scored"))
    found = main("evaluate", *trained, "--prevalence", "2")
    assert found.returncode != 0 and "the prevalence cannot be 2" in found.stderr


def test_curves_without_json_are_an_error(trained):
    found = main("evaluate", *trained, "--curves")
    assert found.returncode != 0
    assert "add --json" in found.stderr


@pytest.mark.parametrize(("threshold", "place"), [("0.0001", 1), ("0.9999", 0)])
def test_threshold_of_a_call_decides(trained, tmp_path, threshold, place):
    model, table = trained
    out = tmp_path / "predictions.csv"
    assert main("predict", model, table, "--threshold", threshold, "-o", out).returncode == 0
    with out.open() as stream:
        decided = {row["prediction"] for row in csv.DictReader(stream)}
    loaded = sensorium.load(model)
    assert decided == {loaded.labels[place]}
    found = answer("evaluate", model, table, "--threshold", threshold)["metrics"]
    assert found["recall"] == place
    assert found["roc_auc"] == loaded.evaluate(table).metrics["roc_auc"]
