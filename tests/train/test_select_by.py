"""The criterion that chooses the epoch: the watched metric, or the log loss after temperature scaling."""

import numpy as np
import pytest

import sensorium
from sensorium.metrics import log_losses
from sensorium.registry import tasks
from sensorium.table import open_table
from sensorium.train.validate import calibrated_loss
from sensorium.wording.card import stop_sentence


@pytest.fixture(scope="module")
def table():
    """Noisy labels and a network that overfits: the metric and the log loss differ about the best epoch."""
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 6))
    label = (x[:, 0] + x[:, 1] + random.normal(0, 1.0, 200) > 0).astype(int)
    return {**{f"x{i}": x[:, i] for i in range(6)}, "label": np.array(["no", "yes"])[label]}


def fit(table, target="label", **train):
    given = {"epochs": 12, "batch_size": 16, "learning_rate": 0.02, "patience": None, "few_labels": "none", **train}
    model = sensorium.fit(table, target, train=given, width=16, split={"validation": 0.4}, progress=False)
    return model.card["history"]


def smoothed(history):
    """Exponential moving average of the calibrated loss, without the bias of its start."""
    losses = [epoch["calibrated_loss"] for epoch in history["epochs"]]
    weights = [[0.5 ** (now - then) for then in range(now + 1)] for now in range(len(losses))]
    return [float(np.average(losses[: now + 1], weights=own)) for now, own in enumerate(weights)]


@pytest.mark.parametrize(
    ("given", "by", "sign"),
    [
        ({"select_by": "metric", "metric": "accuracy"}, "metric", 1),
        pytest.param({"select_by": "log_loss", "metric": "accuracy"}, "log_loss", 1, marks=pytest.mark.slow),
        pytest.param({"metric": "log_loss"}, "metric", -1, marks=pytest.mark.slow),
        ({}, "log_loss", 1),
    ],
)
def test_the_best_epoch_is_that_of_the_criterion(given, by, sign, table):
    found = fit(table, **given)
    if by == "log_loss":
        assert found["best"] == 1 + int(np.argmin(smoothed(found)))
    else:
        values = [sign * epoch["metric"] for epoch in found["epochs"]]
        assert values[found["best"] - 1] == max(values)
    assert found["select_by"] == by


def test_amounts_are_chosen_by_the_metric_by_default(table):
    amounts = {**table, "label": np.asarray(table["x0"]) * 3 + 1}
    assert fit(amounts, epochs=2)["select_by"] == "metric"
    found = fit(amounts, select_by="log_loss")
    assert [epoch["calibrated_loss"] for epoch in found["epochs"]] == [e["validation_loss"] for e in found["epochs"]]
    assert found["best"] == 1 + int(np.argmin(smoothed(found)))


def test_the_criteria_choose_different_epochs(table):
    chosen = {by: fit(table, select_by=by, metric="accuracy")["best"] for by in ("metric", "log_loss")}
    assert chosen["metric"] != chosen["log_loss"]


@pytest.mark.slow
def test_training_takes_as_many_epochs_with_each_criterion(table):
    """Patience counts epochs without a better metric."""
    found = {by: fit(table, select_by=by, metric="accuracy", patience=4, epochs=40) for by in ("metric", "log_loss")}
    assert found["metric"]["stopped"] == found["log_loss"]["stopped"]
    assert found["metric"]["stopped"]["epoch"] == found["metric"]["best"] + 4 < 40
    losses = [[epoch["loss"] for epoch in history["epochs"]] for history in found.values()]
    assert losses[0] == losses[1]


def logits_and_labels(classes, rows=300):
    """Logits that are right about the order of the classes, with a temperature of 1."""
    random = np.random.default_rng(classes)
    logits = random.normal(0, 2, (rows, classes))
    noise = -np.log(-np.log(random.random((rows, classes))))
    return logits.astype(np.float32), (logits + noise).argmax(1)


def task_of(labels, name="multiclass"):
    return tasks.load(name).learn(open_table({"y": labels}).column("y"), "none")


@pytest.mark.unit
def test_the_calibrated_loss_forgives_overconfidence_only():
    logits, truth = logits_and_labels(4)
    task = task_of([str(code) for code in truth])

    def plain(scale):
        return float(log_losses(task.outcome(task.scores(scale * logits), truth)).mean())

    for scale in (1.0, 2.0, 5.0):
        assert calibrated_loss(task, logits * np.float32(scale), truth) == pytest.approx(plain(1.0), rel=0.02)
    assert plain(5.0) > 2 * plain(1.0)
    timid = logits * np.float32(0.3)
    assert calibrated_loss(task, timid, truth) == pytest.approx(plain(0.3), rel=1e-5)
    assert plain(0.3) > 1.1 * plain(1.0)


@pytest.mark.unit
def test_without_classes_it_is_the_loss():
    values = np.random.default_rng(0).normal(5, 2, 50)
    task = tasks.load("regression").learn(open_table({"y": values}).column("y"), "none")
    logits = np.zeros((50, 1), np.float32)
    expected = np.mean(((values - task.mean) / task.deviation) ** 2)
    assert calibrated_loss(task, logits, values) == pytest.approx(expected, rel=1e-4)


def test_for_several_targets_it_is_the_mean_over_them(table):
    """A target without a known label in the rows does not count."""
    several = {**table, "amount": np.asarray(table["x0"]) * 3 + 1}
    found = fit(several, ["label", "amount"], epochs=3)
    assert all(np.isfinite(epoch["calibrated_loss"]) for epoch in found["epochs"])
    assert found["best"] == 1 + int(np.argmin(smoothed(found)))


def test_patience_watches_the_criterion_of_the_settings(table):
    given = {"metric": "accuracy", "patience": 4, "epochs": 40}
    by_metric, by_loss = (fit(table, **given, stop_by=by) for by in ("metric", "log_loss"))
    losses = [epoch["calibrated_loss"] for epoch in by_loss["epochs"]]
    assert by_loss["stopped"] == {"reason": "patience", "epoch": 1 + int(np.argmin(losses)) + 4, "epochs": 4}
    assert by_loss["stopped"] != by_metric["stopped"]
    assert (by_metric["stop_by"], by_loss["stop_by"]) == ("metric", "log_loss")


def test_the_report_says_what_patience_watched(table):
    train = {"epochs": 40, "patience": 2, "stop_by": "log_loss", "learning_rate": 0.05, "few_labels": "none"}
    model = sensorium.fit(table, "label", train=train, width=16, split={"validation": 0.4}, progress=False)
    said = stop_sentence(model.fitted.card.history)
    assert said.endswith("the validation log loss (after temperature scaling) did not improve for 2 epochs")
