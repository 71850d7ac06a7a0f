"""After calibration, the log loss of a model on the validation rows is not above that of the class frequencies."""

import numpy as np
import pytest

import sensorium
from sensorium.evaluate.calibration import Calibration, calibrate, calibrate_targets
from sensorium.evaluate.prior_bound import bound_by_prior, bound_targets
from sensorium.metrics import log_losses
from sensorium.model import Outputs
from sensorium.registry import tasks
from sensorium.table import open_table
from sensorium.tasks import prior_scores
from sensorium.wording import calibration_sentence

CELLS = {"binary": ["a", "b"], "multiclass": ["a", "b", "c"], "multilabel": ["a|b", "b|c", "c"]}


def task_of(kind):
    return tasks.load(kind).learn(open_table({"y": CELLS[kind]}).column("y"), "none")


def rare(kind, rows=200, seed=0):
    """Labels of very different frequencies; the encoded labels and the prior."""
    random = np.random.default_rng(seed)
    if kind == "multilabel":
        truth = (random.random((rows, 3)) < [0.9, 0.1, 0.05]).astype(np.float32)
        return truth, truth.mean(0).tolist()
    shares = [0.9, 0.1] if kind == "binary" else [0.85, 0.1, 0.05]
    truth = random.choice(len(shares), rows, p=shares)
    return truth, (np.bincount(truth, minlength=len(shares)) / rows).tolist()


def loss(task, scores, truth):
    return float(log_losses(task.outcome(scores, truth)).mean())


def final(task, outputs, found, prior):
    return task.mixed(outputs.at(task, found.temperature), prior, found.prior_share)


@pytest.mark.unit
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("rows", [20, 200])
def test_a_model_of_noise_is_not_worse_than_the_class_frequencies(kind, rows):
    task, (truth, prior) = task_of(kind), rare(kind, rows)
    noise = np.random.default_rng(1).normal(0, 30, (rows, task.outputs)).astype(np.float32)
    outputs = Outputs.of_logits(noise)
    found = bound_by_prior(calibrate(task, outputs, truth, 0), task, outputs, truth, prior)
    constant = loss(task, prior_scores(task, prior, rows), truth)
    assert loss(task, outputs.at(task, 1.0), truth) > constant
    assert loss(task, final(task, outputs, found, prior), truth) <= constant
    assert found.reason == "above_prior" and 0.5 < found.prior_share <= 1


@pytest.mark.unit
def test_the_share_is_that_of_the_lowest_log_loss():
    task, (truth, prior) = task_of("multiclass"), rare("multiclass")
    random = np.random.default_rng(2)
    outputs = Outputs.of_logits((random.normal(0, 4, (200, 3)) + 2 * np.eye(3)[truth]).astype(np.float32))
    found = bound_by_prior(Calibration("few_rows", 200, 200), task, outputs, truth, prior)
    scores = outputs.at(task, found.temperature)
    grid = [loss(task, task.mixed(scores, prior, share), truth) for share in np.linspace(0, 1, 1001)]
    assert loss(task, final(task, outputs, found, prior), truth) == pytest.approx(min(grid), abs=1e-5)
    assert 0.01 < found.prior_share < 0.99


@pytest.mark.unit
def test_a_temperature_is_enough_where_the_ranking_is_good():
    task, truth = task_of("binary"), rare("binary", 40)[0]
    right = np.where(np.arange(40) % 8 == 0, -1, 1) * np.where(truth == 1, 1.0, -1.0)
    outputs = Outputs.of_logits(100 * right[:, None].astype(np.float32))
    before = calibrate(task, outputs, truth, 0)
    found = bound_by_prior(before, task, outputs, truth, [0.5, 0.5])
    assert before.reason == "few_rows" and found.reason == "above_prior"
    assert found.prior_share == 0 and found.temperature > 10


@pytest.mark.unit
def test_a_good_model_is_left_as_it_is():
    task, (truth, prior) = task_of("binary"), rare("binary")
    outputs = Outputs.of_logits(np.where(truth == 1, 2.0, -3.0)[:, None].astype(np.float32))
    found = calibrate(task, outputs, truth, 0)
    assert bound_by_prior(found, task, outputs, truth, prior) is found


@pytest.mark.unit
def test_rows_of_one_class_say_nothing():
    task, truth = task_of("binary"), np.zeros(60, np.int64)
    outputs = Outputs.of_logits(np.full((60, 1), 5.0, np.float32))
    found = calibrate(task, outputs, truth, 0)
    assert bound_by_prior(found, task, outputs, truth, [0.9, 0.1]) is found


@pytest.mark.unit
def test_each_of_several_targets_has_its_own_share():
    columns = {"y": ["a", "b"] * 100, "z": ["c", "d", "d", "d"] * 50, "n": list(range(200))}
    column = open_table({"y": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]})
    target = column.column("y")
    task = tasks.load("several").learn(target, "none", kinds={"y": "binary", "z": "binary", "n": "regression"})
    truth = task.encode(target).values
    prior = task.prior(truth)
    random = np.random.default_rng(0)
    good = np.where(truth[:, 0] == 1, 2.0, -2.0) + random.normal(0, 1, 200)
    logits = np.column_stack([good, random.normal(0, 30, 200), np.zeros(200)]).astype(np.float32)
    outputs = Outputs.of_logits(logits)
    found = bound_targets(calibrate_targets(task, outputs, truth, 0), task, outputs, truth, prior)
    assert found["y"].prior_share == 0 and found["z"].prior_share > 0.5 and "n" not in found
    scores = task.scores(logits)
    mixed = task.mixed(scores, prior, [found["y"].prior_share, found["z"].prior_share, 0.0])
    own, changed, priors = (task.scores_of_each(values) for values in (scores, mixed, np.array(prior)[None]))
    assert np.array_equal(own["y"], changed["y"]) and np.array_equal(own["n"], changed["n"])
    share = found["z"].prior_share
    np.testing.assert_allclose(changed["z"], (1 - share) * own["z"] + share * priors["z"], rtol=1e-12)


@pytest.fixture(scope="module")
def hopeless():
    """A model of labels that do not depend on the columns: it is sure of what it has learned by heart."""
    random = np.random.default_rng(0)
    table = {f"x{i}": random.normal(size=400) for i in range(8)}
    table["label"] = np.where(random.random(400) < 0.15, "rare", "usual")
    table["part"] = ["train"] * 200 + ["validation"] * 150 + ["test"] * 50
    train = {"epochs": 25, "learning_rate": 0.02, "patience": None, "few_labels": "none", "metric": "roc_auc"}
    return table, sensorium.fit(table, "label", train=train, split={"column": "part"}, progress=False)


def test_a_fitted_model_is_not_worse_than_the_class_frequencies(hopeless, tmp_path):
    table, model = hopeless
    share = model.fitted.prior_share
    assert model.card["calibration"]["reason"] == "above_prior"
    assert model.card["calibration"]["prior_share"] == share > 0 == model.fitted.uncalibrated().prior_share
    labels = table["label"][200:350]
    frequencies = dict(zip(model.labels, model.fitted.prior, strict=True))
    constant = -np.mean([np.log(frequencies[label]) for label in labels])
    found = model.evaluate(table, "validation").metrics["log_loss"]
    assert found == pytest.approx(model.card["metrics"]["validation"]["metrics"]["log_loss"])
    assert found <= constant
    model.save(tmp_path / "model")
    again = sensorium.load(tmp_path / "model")
    assert again.fitted.prior_share == share
    np.testing.assert_array_equal(again.predict_proba(table), model.predict_proba(table))


def test_the_report_says_so(hopeless):
    model = hopeless[1]
    sentence = calibration_sentence(model.fitted.card.calibration)
    assert "mixed with the class frequencies" in sentence and f"{model.fitted.prior_share:.2f}" in sentence
