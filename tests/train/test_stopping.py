"""Early stopping: a perfect validation metric and a plateau end the training, and the record holds the reason."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

import sensorium
from sensorium.config import TrainConfig
from sensorium.report import fit_text
from sensorium.train import Epoch, History
from sensorium.train.stopping import EarlyStopping

QUICK = {
    "epochs": 40,
    "warmup": 0.1,
    "batch_size": 20,
    "learning_rate": 0.02,
    "few_labels": "none",
    "metric": "accuracy",
}
STILL = {"learning_rate": 1e-15, "warmup": 0, "batch_size": 400, "modality_dropout": 0, "weight_decay": 0}


def separable(rows=160):
    x = np.linspace(-1, 1, rows)
    return {"x": x.tolist(), "label": np.where(x > 0, "a", "b").tolist()}


def fit(table, target="label", split=None, out=None, **train):
    settings = {"split": split} if split else {}
    if train.get("learning_rate") == STILL["learning_rate"]:  # dropout would change the loss
        settings |= {
            "encoders": {"x": {"name": "tabular", "dropout": 0.0}},
            "fusion": {"name": "concat", "dropout": 0.0},
        }
    return sensorium.fit(table, target, train={**QUICK, **train}, progress=False, out=out, **settings)


def history(model):
    return model.card["history"]


def perfect_epochs(found, warmup):
    """Numbers of the epochs after the warm-up in which the metric is perfect and the predictions are confident."""
    sure = math.log(2) / 4
    epochs = (each for each in found["epochs"] if each["number"] > warmup and each["validation_loss"] <= sure)
    return [each["number"] for each in epochs if each["metric"] == 1]


@pytest.mark.parametrize("warmup", [0.0, 0.2])
def test_training_stops_three_epochs_after_the_metric_becomes_perfect(warmup):
    found = history(fit(separable(), warmup=warmup))
    last = len(found["epochs"])
    assert last < QUICK["epochs"]
    assert perfect_epochs(found, QUICK["epochs"] * warmup)[-3:] == [last - 2, last - 1, last]
    earlier = [n for n in range(3, last) if {n - 2, n - 1, n} <= {*perfect_epochs(found, QUICK["epochs"] * warmup)}]
    assert not earlier
    assert found["stopped"] == {"reason": "perfect", "epoch": last, "epochs": 3, "value": 1.0}


def test_the_report_and_the_saved_model_hold_the_reason(tmp_path):
    from rich.console import Console

    model = fit(separable(), out=tmp_path)
    saved = sensorium.load(tmp_path)
    assert history(saved)["stopped"] == history(model)["stopped"]
    assert json.loads((tmp_path / "history.json").read_text())["stopped"] == history(model)["stopped"]
    console = Console(record=True, width=200)
    console.print(fit_text(model.describe(), model.fitted.card, model.fitted.data, model.test))
    last = len(history(model)["epochs"])
    told = f"stopped after epoch {last}: validation accuracy was at its best possible value, 1.0, for 3 epochs"
    assert told in console.export_text()


def test_a_perfect_ranking_is_not_enough():
    """All rows are in the right order long before the probabilities are right."""
    found = history(fit(separable(), metric="roc_auc", learning_rate=1e-3))
    last = found["stopped"]["epoch"]
    assert perfect_epochs(found, 4)[-3:] == [last - 2, last - 1, last]
    assert sum(each["metric"] == 1 for each in found["epochs"][4:]) > 3


def test_a_soup_gets_as_many_perfect_epochs_as_it_averages():
    found = history(fit(separable(), soup=6, learning_rate=2e-3))
    assert found["stopped"]["reason"] == "perfect"
    assert found["stopped"]["epochs"] == 6


@pytest.mark.parametrize("train", [{"stop_at_plateau": False, "patience": 40}, {"patience": None}])
def test_the_rules_can_be_switched_off(train):
    found = history(fit(separable(), epochs=12, **train))
    assert len(found["epochs"]) == 12
    assert "stopped" not in found


def test_few_validation_rows_prove_nothing():
    found = history(fit(separable(90), epochs=12, patience=12))
    assert len(perfect_epochs(found, 2)) > 3
    assert len(found["epochs"]) == 12


def test_a_metric_that_a_constant_prediction_reaches_proves_nothing():
    """All validation rows have the most frequent label."""
    table = separable(200)
    table["label"] = ["b" if x < 0.5 else "a" for x in table["x"]]
    table["part"] = ["validation" if -0.9 < x < -0.5 else "train" for x in table["x"]]
    found = history(fit(table, split={"column": "part"}, epochs=12, patience=12))
    assert len(perfect_epochs(found, 2)) > 3
    assert len(found["epochs"]) == 12


@pytest.mark.parametrize("validation", [0.1, 0.0])
def test_training_stops_at_a_plateau(validation):
    """A learning rate of nearly zero changes nothing; without validation rows, the training loss alone counts."""
    found = history(fit(separable(), split={"validation": validation}, **STILL))
    assert found["stopped"] == {"reason": "plateau", "epoch": 6, "epochs": 5}
    assert math.isnan(found["epochs"][0]["metric"] or math.nan) == (validation == 0)


def test_an_undefined_metric_is_replaced_by_the_validation_loss():
    """The ROC area of a single class is not defined."""
    table = separable(200)
    table["part"] = ["validation" if -0.9 < x < -0.5 else "train" for x in table["x"]]
    train = {"metric": "roc_auc", "epochs": 8, "patience": 8}
    assert len(history(fit(table, split={"column": "part"}, **train))["epochs"]) == 8
    stopped = history(fit(table, split={"column": "part"}, **STILL | train))["stopped"]
    assert (stopped["reason"], stopped["epoch"]) == ("plateau", 6)


def test_patience_is_recorded_as_a_reason():
    noise = np.random.default_rng(0)
    table = {"x": noise.normal(size=300), "label": noise.choice(["a", "b"], 300)}
    found = history(fit(table, patience=2))
    last = len(found["epochs"])
    assert found["stopped"] == {"reason": "patience", "epoch": last, "epochs": 2}
    assert last == found["best"] + 2


def epochs_until_plateau(losses, metrics):
    """Return the epoch after which the rules find a plateau; None if they do not."""
    context = SimpleNamespace(epochs=len(losses) + 1, validation_rows=np.arange(5), supervised=True)
    rules = EarlyStopping(context, TrainConfig(warmup=0.1, patience=100), "rmse")
    found = History("rmse")
    for number, (loss, metric) in enumerate(zip(losses, metrics, strict=True), 1):
        found.epochs.append(Epoch(number, loss, loss, metric, 0.001, 1.0, 1.0))
        found.best = number
        if stop := rules.check(found):
            assert stop.reason == "plateau"
            return number
    return None


def descent(first, start, change, epochs=30):
    """Values of epochs: some that are far off, then a start that changes by a factor per epoch."""
    return [*first, *(start * change**number for number in range(epochs))]


@pytest.mark.parametrize("change", [0.95, 0.99, 0.998])
@pytest.mark.parametrize("far", [[1000], [1000, 300, 90]])
def test_first_epochs_that_are_far_off_make_no_plateau_of_a_steady_gain(change, far):
    losses, metrics = (descent([each * value for each in far], value, change) for value in (2.0, 30.0))
    assert epochs_until_plateau(losses, metrics) is None


def test_a_plateau_is_found_after_first_epochs_that_are_far_off():
    steady = descent([], 2.0, 0.8, 10) + [0.2 + 1e-5 * (number % 2) for number in range(10)]
    assert epochs_until_plateau([4000.0, *steady], [30000.0, *steady]) == 17
    assert epochs_until_plateau(steady, steady) == 16


def test_a_loss_that_becomes_small_is_no_plateau_while_it_falls():
    falling = descent([], 2.0, 0.8, 60)
    assert epochs_until_plateau(falling, [1.0] * 60) is None
