"""One model of several targets: labels may be missing in each, every target is told and measured by itself."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import csv
from typer.testing import CliRunner

import sensorium
from sensorium.cli._main import make_app
from sensorium.errors import SensoriumError
from sensorium.registry import tasks
from sensorium.table import open_table
from sensorium.techniques.uncertainty import _factor

ROWS = 240
TARGETS = ["label", "price", "tags"]


@pytest.fixture(scope="module")
def table():
    """Two numbers; a class, an amount and labels that follow from them, some of them missing."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, ROWS))
    label = ["yes" if a + b > 0 else "no" for a, b in zip(x, y, strict=True)]
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "label": [None if row % 5 == 0 else name for row, name in enumerate(label)],
        "price": [None if row % 7 == 0 else 50 + 100 * value for row, value in enumerate(y)],
        "tags": [[tag for tag, value in (("east", a), ("north", b)) if value > 0] for a, b in zip(x, y, strict=True)],
    }


@pytest.fixture(scope="module")
def run(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("several") / "run"
    return sensorium.fit(table, TARGETS, out=out, epochs=10, progress=False), out


def column(cells):
    return open_table({"all": cells}).column("all")


@pytest.mark.slow
def test_every_target_is_learnt_and_measured_by_itself(table):
    model = sensorium.fit(table, TARGETS, epochs=30, progress=False)
    assert model.columns == {"x": "number", "y": "number"}
    assert model.test.metrics["label.accuracy"] > 0.85
    assert model.test.metrics["price.r2"] > 0.85
    assert model.test.metrics["tags.average_precision"] > 0.9
    parts = [model.test.metrics[name] for name in ("label.roc_auc", "price.r2", "tags.average_precision")]
    assert model.test.metrics["mean_score"] == pytest.approx(np.mean(parts))


def test_answers_are_told_target_by_target_also_after_loading(run, table):
    model, out = run
    first = model.predict(table)[0]
    assert set(first) == set(TARGETS) and first["label"] in ("yes", "no") and isinstance(first["tags"], list)
    answers = sensorium.load(out).predictions({"x": table["x"], "y": table["y"]}).to_arrow()
    assert answers.column_names[:4] == ["row", "label.prediction", "label.probability_no", "label.probability_yes"]
    assert "price.prediction" in answers.column_names and "price.probability_price" not in answers.column_names
    assert answers["price.prediction"][0].as_py() == pytest.approx(first["price"])


def test_a_table_with_some_of_the_targets_is_measured_on_those(run, table):
    model, _ = run
    found = model.evaluate({name: cells for name, cells in table.items() if name != "price"})
    assert found.metrics["label.accuracy"] > 0.85 and np.isnan(found.metrics["price.r2"])
    assert np.isfinite(found.metrics["mean_score"])


def test_the_loss_is_the_mean_of_the_parts_on_the_rows_that_have_them():
    cells = [{"kind": "a", "amount": 1.0}, {"kind": None, "amount": 3.0}, {"kind": "b", "amount": None}]
    both = tasks.load("several").learn(column(cells * 4), "none", kinds={"amount": "regression"})
    values = torch.from_numpy(both.encode(column(cells)).values)
    logits = torch.tensor([[0.3, -0.2], [9.0, 0.4], [-0.5, 9.0]])
    kind, amount = both.parts.values()
    own = kind.loss(logits[[0, 2], :1], torch.tensor([0, 1])), amount.loss(logits[:2, 1:], torch.tensor([1.0, 3.0]))
    assert both.loss(logits, values) == pytest.approx(float(sum(own)) / 2)


def test_a_batch_without_a_single_label_of_a_target_has_a_loss_and_gradients():
    cells = [{"kind": "a", "amount": 1.0}, {"kind": "b", "amount": 3.0}] * 4
    both = tasks.load("several").learn(column(cells), "none", kinds={"amount": "regression"})
    values = torch.from_numpy(both.encode(column([{"kind": "a", "amount": None}])).values)
    logits = torch.zeros(1, 2, requires_grad=True)
    both.loss(logits, values).backward()
    assert logits.grad[0, 0] != 0 and logits.grad[0, 1] == 0


def test_a_target_s_task_can_be_named(table):
    grades = {**table, "grade": [1 + row % 4 for row in range(ROWS)]}
    model = sensorium.fit(grades, ["label", "grade"], tasks={"grade": "regression"}, epochs=1, progress=False)
    assert "grade.rmse" in model.test.metrics and "tags" not in model.test.metrics


@pytest.mark.slow
@pytest.mark.unit
def test_uncertainty_halves_the_loss_of_amounts_only():
    kinds = {"multiclass": ["a", "b", "c"] * 3, "count": [0, 1, 2] * 3, "regression": [0.5, 1.0, 2.5] * 3}
    for kind, factor in (("multiclass", 1.0), ("count", 1.0), ("regression", 0.5)):
        column = open_table({"y": kinds[kind], "row": list(range(9))}).column("y")
        assert _factor(tasks.load(kind).learn(column, "none")) == factor


def test_uncertainty_gives_the_target_that_can_be_known_more_weight():
    random = np.random.default_rng(1)
    x = random.normal(size=400)
    made = {"x": x, "clear": 3 * x, "noise": random.normal(size=400)}
    settings = {"techniques": {"uncertainty": {}}}
    model = sensorium.fit(made, ["clear", "noise"], epochs=30, train=settings, progress=False)
    weights = model.card["history"]["techniques"]["uncertainty"]["weights"]
    assert weights["clear"] > 1.5 * weights["noise"]


@pytest.mark.parametrize(
    ("target", "settings", "said"),
    [
        (["label", "prize"], {}, "'price'"),
        ("label", {"tasks": {"label": "binary"}}, "several targets"),
        (["label", "price"], {"tasks": {"tags": "binary"}}, "several targets"),
        (["label", "price"], {"tasks": {"price": "regresion"}}, "regression"),
        ("label", {"task": "several"}, "only one target"),
    ],
)
def test_what_does_not_fit_is_told(table, target, settings, said):
    with pytest.raises(SensoriumError, match=said):
        sensorium.fit(table, target, progress=False, **settings)


def test_by_command(table, tmp_path):
    path = tmp_path / "t.csv"
    csv.write_csv(pa.table(table).drop_columns("tags"), path)
    call = CliRunner().invoke
    asked = ["--target", "label", "--target", "price"]
    seen = call(make_app(), ["inspect", str(path), *asked])
    assert seen.exit_code == 0 and "several" in seen.output, seen.output
    found = call(make_app(), ["fit", str(path), *asked, "--epochs", "2", "--out", str(tmp_path / "run"), "--json"])
    assert found.exit_code == 0, found.output
    metrics = json.loads(found.output.splitlines()[-1])["metrics"]["test"]
    assert {"mean_score", "label.accuracy", "price.rmse"} <= set(metrics)
    answers = tmp_path / "answers.csv"
    told = call(make_app(), ["predict", str(tmp_path / "run"), str(path), "-o", str(answers)])
    assert told.exit_code == 0 and "label.prediction" in answers.read_text().splitlines()[0]


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_each_target_is_checked_for_labels_enough(capsys):
    x = np.random.default_rng(0).normal(size=200)
    few = [("p" if value > 0 else "q") if row < 6 else None for row, value in enumerate(x)]
    split = ["train"] * 4 + ["test"] * 2 + ["train"] * 150 + ["val"] * 22 + ["test"] * 22
    made = {"x": x, "y": np.where(x > 0, "b", "a"), "z": few, "split": split}
    few[:6] = ["p", "q", "p", "q", "p", "p"]
    model = sensorium.fit(made, ["y", "z"], epochs=1, progress=False)
    told = [problem.reason for problem in model.fit_problems.whole() if problem.column == "z"]
    assert any("6 of 200 rows have a label of this target (4 train, 0 validation, 2 test)" in reason for reason in told)
    assert any("not measured on validation rows" in reason for reason in told)
    assert any("all 2 test rows have one label" in reason for reason in told)
    assert not [problem for problem in model.fit_problems.whole() if problem.column == "y"]
    seen = sensorium.inspect(made, config={"target": ["y", "z"]}).target["caution"]
    assert "6 of 200 rows have a label" in seen and "one label" in seen


@pytest.mark.parametrize(
    ("labelled", "said"), [(range(3), "only 3 rows of 40"), (range(30, 40), "no training row has a label")]
)
def test_a_target_without_labels_enough_is_an_error(labelled, said):
    cells = ["pq"[row % 2] if row in labelled else None for row in range(40)]
    made = {"x": range(40), "y": ["a", "b"] * 20, "z": cells, "split": ["train"] * 30 + ["test"] * 10}
    with pytest.raises(SensoriumError, match=said):
        sensorium.fit({**made, "x": [float(row % 7) for row in range(40)]}, ["y", "z"], epochs=1, progress=False)


def test_each_target_keeps_its_spelling(tmp_path):
    rows = [f"{row % 7},{['1.1', '1.10'][row % 2]},{['2.50', '3.50', '7.25', '8.00'][row % 4]}" for row in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,version,amount", *rows]))
    model = sensorium.fit(tmp_path / "t.csv", ["version", "amount"], epochs=1, progress=False)
    assert model.labels[:2] == ["version=1.1", "version=1.10"] and model.labels[2] == "amount"
    again = model.evaluate(tmp_path / "t.csv", split="all")
    assert again.n == 60 and not len(again.problems)
