"""The decision threshold of a model: who chooses it, what it decides, and where it is kept."""

from dataclasses import replace

import numpy as np
import pytest
from decisions import chosen, make_cells

import sensorium
from sensorium.errors import ArtifactError, ConfigError
from sensorium.evaluate.thresholds import choose_target_thresholds
from sensorium.registry import tasks
from sensorium.table import open_table

CONFIG = {"threshold": "fn=6,fp=1", "width": 256}  # wide enough to be quantized


@pytest.fixture(scope="module")
def cells():
    return make_cells()


@pytest.fixture(scope="module")
def model(cells):
    return sensorium.fit(cells, ["ill", "signs", "amount"], preset="fast", epochs=2, config=CONFIG, progress=False)


def test_threshold_decides_predictions_and_metrics(model, cells):
    task = model.fitted.task
    threshold = task.parts["ill"].threshold
    assert threshold != 0.5
    predictions = model.predictions(cells).to_arrow()
    assert predictions["ill.prediction"].to_pylist() == [
        "yes" if value >= threshold else "no" for value in predictions["ill.probability_yes"].to_pylist()
    ]
    found = model.evaluate(cells, "test")
    assert found.metrics == model.test.metrics
    decided = np.array(predictions["ill.prediction"].to_pylist())[[part == "test" for part in cells["split"]]]
    truth = np.array(cells["ill"])[[part == "test" for part in cells["split"]]]
    assert found.metrics["ill.recall"] == pytest.approx((decided == "yes")[truth == "yes"].mean())


def test_validation_rows_choose_the_threshold(model, cells):
    """Calibrated scores of the validation rows choose the same thresholds again; the card has them."""
    rows = {
        name: [v for v, part in zip(own, cells["split"], strict=True) if part == "validation"]
        for name, own in cells.items()
    }
    table = open_table(rows, model.fitted.config.table)
    fitted, target = model.fitted, model.fitted.task.encode(table.column(model.target))
    found = choose_target_thresholds(
        fitted.task, model.predict_proba(rows), target.values, fitted.config.threshold_rule, seed=fitted.config.seed
    )
    card = model.card["threshold"]["targets"]
    assert [*card] == [*found] == ["ill", "signs"]
    for name, own in found.items():
        assert card[name]["thresholds"] == pytest.approx(own.thresholds)
        assert (card[name]["chosen_by"], card[name]["rows"]) == ("validation", len(rows["ill"]))
        assert card[name]["rule"] == "fn=6,fp=1"


def test_saved_model_keeps_its_threshold(model, tmp_path):
    model.save(tmp_path / "model.zip")
    loaded = sensorium.load(tmp_path / "model.zip")
    assert chosen(loaded) == chosen(model)
    assert loaded.card["threshold"] == model.card["threshold"]


def test_quantized_model_and_ensemble_keep_the_threshold(model, cells, tmp_path):
    first = model.fitted.first
    ensemble = replace(model.fitted, members=[first, replace(first, name="other")], member_weights=())
    pair = sensorium.Model(ensemble)
    pair.save(tmp_path / "pair")
    assert chosen(sensorium.load(tmp_path / "pair")) == chosen(model)
    assert pair.predict(cells).tolist() == model.predict(cells).tolist()
    assert chosen(pair.quantize()) == chosen(model)


def test_threshold_can_be_set_later(model, cells):
    changed = model.with_threshold({"ill": 0.9, "signs": {"cough": 0.1}})
    assert chosen(changed)["ill"] == [0.9]
    assert chosen(changed)["signs"] == [0.1, chosen(model)["signs"][1]]
    assert np.array_equal(changed.predict_proba(cells), model.predict_proba(cells))
    assert chosen(model) == chosen(model.with_threshold(model.fitted.task.parts["ill"].threshold)) | {
        "signs": chosen(model)["signs"]
    }
    assert changed.card["metrics"] == {}, "they are those of another threshold"
    fewer = [row["ill"] for row in changed.predict(cells)].count("yes")
    assert fewer <= [row["ill"] for row in model.predict(cells)].count("yes")


@pytest.mark.parametrize(
    ("wrong", "finding"),
    [
        (0, "a threshold cannot be 0"),
        (True, "a threshold cannot be True"),
        ("f1", "a threshold cannot be 'f1'"),
        ({"amount": 0.4}, "unknown target with a decision threshold 'amount'"),
        ({"signs": {"sneeze": 0.4}}, "unknown label 'sneeze'"),
        ({"ill": {"yes": 0.4}}, "a binary target has one threshold"),
    ],
)
def test_wrong_thresholds_are_errors(model, wrong, finding):
    with pytest.raises(ConfigError) as caught:
        model.with_threshold(wrong)
    assert caught.value.finding == finding


def test_amounts_have_no_threshold(cells):
    with pytest.raises(ConfigError, match="the target has no decision threshold"):
        sensorium.fit(cells, "amount", config={"threshold": "f1"}, progress=False)
    with pytest.raises(ConfigError, match="the target 'amount' has no decision threshold"):
        sensorium.fit(cells, ["ill", "amount"], config={"threshold": {"amount": "f1"}}, preset="fast", progress=False)


def test_labels_of_test_rows_choose_nothing(model, cells):
    """Other labels of the test rows give the same thresholds: the plan of the same table, with its model."""
    shuffled = dict(cells)
    test = [place for place, part in enumerate(cells["split"]) if part == "test"]
    for name in ("ill", "signs", "amount"):
        own = list(cells[name])
        for place, other in zip(test, reversed(test), strict=True):
            own[place] = cells[name][other]
        shuffled[name] = own
    assert shuffled["ill"] != cells["ill"]
    again = sensorium.fit(
        shuffled,
        ["ill", "signs", "amount"],
        preset="fast",
        epochs=2,
        config=CONFIG,
        progress=False,
    )
    assert chosen(again) == chosen(model)
    assert again.card["threshold"] == model.card["threshold"]


@pytest.mark.parametrize("state", [{"threshold": 1.5}, {"threshold": "0.5"}, {"threshold": float("nan")}])
def test_forged_thresholds_of_two_classes_are_refused(state):
    task = tasks.load("binary").learn(open_table({"y": ["a", "b"]}).column("y"), "none").with_thresholds([0.3])
    saved, arrays = task.state()
    assert tasks.load("binary").restore(saved, arrays) == task
    with pytest.raises(ArtifactError):
        tasks.load("binary").restore({**saved, **state}, arrays)


@pytest.mark.parametrize("values", [[0.5], [0.5, -0.1], [0.5, 0.5, 0.5], 0.5])
def test_forged_thresholds_of_labels_are_refused(values):
    task = tasks.load("multilabel").learn(open_table({"y": [["a"], ["b"]]}).column("y"), "none")
    saved, arrays = task.with_thresholds([0.3, 0.5]).state()
    assert tasks.load("multilabel").restore(saved, arrays).thresholds == [0.3, 0.5]
    with pytest.raises(ArtifactError):
        tasks.load("multilabel").restore({**saved, "chosen_thresholds": values}, arrays)


def test_default_threshold_leaves_no_trace_in_a_saved_model():
    """Models without a chosen threshold can be read by versions that know none."""
    task = tasks.load("multilabel").learn(open_table({"y": [["a"], ["b"]]}).column("y"), "none")
    assert "chosen_thresholds" not in task.with_thresholds([0.5, 0.5]).state()[0]
    task = tasks.load("binary").learn(open_table({"y": ["a", "b"]}).column("y"), "none")
    assert "threshold" not in task.state()[0]


@pytest.mark.slow
def test_rows_predicted_out_of_fold_choose_the_threshold_of_a_blend(cells):
    only = {name: cells[name] for name in ("dose", "age", "ill", "split")}
    model = sensorium.fit(only, "ill", preset="good", config={"threshold": "recall=0.9"}, progress=False)
    card = model.card["threshold"]
    assert (card["chosen_by"], card["rows"]) == ("out_of_fold", sum(part != "test" for part in cells["split"]))
    assert model.fitted.task.threshold == card["thresholds"][0] < 0.5
    assert model.test.metrics["recall"] >= 0.75
    assert model.evaluate(only, "test").metrics == model.test.metrics
