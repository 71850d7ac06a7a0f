"""A network that predicts a constant is trained once more, and the better of both is kept."""

import json
import math

import numpy as np
import pytest
import torch

import sensorium
from prepared import prepare
from sensorium.config import TrainConfig
from sensorium.runtime.progress import Silent
from sensorium.train import checkpoint
from sensorium.trials import Control, Ledger, TrialSpec, _restart, run_trial
from sensorium.wording import restart_sentence

HOT = {"train": {"learning_rate": 300.0, "epochs": 3}, "width": 16}
ROWS = 240


class Logged(Silent):
    def __init__(self):
        self.lines = []

    def log(self, message):
        self.lines.append(message)


class Cut(Exception):
    """What stops a run in the middle."""


@pytest.fixture(scope="module")
def table():
    """Two numbers tell the label."""
    x, y = np.random.default_rng(0).normal(size=(2, ROWS))
    return {"x": x.tolist(), "y": y.tolist(), "kind": np.where(x + y > 0, "up", "down").tolist()}


@pytest.fixture(scope="module")
def data(table):
    return prepare(table, {"target": "kind", **HOT})


@pytest.fixture(scope="module")
def nothing():
    """Labels are random: the right prediction is a constant."""
    random = np.random.default_rng(1)
    kind = random.permutation(["up"] * 160 + ["down"] * 80).tolist()
    return {"x": random.choice([0.0, 1.0], ROWS).tolist(), "kind": kind}


@pytest.fixture(scope="module")
def hot(data):
    """The result of a training with far too high a learning rate, and what was logged."""
    report = Logged()
    return run_trial(data, TrialSpec("hot"), Control(report)), report.lines


def test_a_collapsed_network_is_trained_again_with_a_lower_rate(hot, data):
    result, lines = hot
    record = result.model.card.restart
    assert record.kept == "second" and not record.collapsed and not result.collapsed
    assert record.learning_rate == 2e-3  # a tenth of 300 is above the default rate
    assert record.losses[1] < record.losses[0]
    assert lines[0] == "? the network predicts a constant: it is trained again with learning rate 0.002"
    assert lines[-1] == f"? {restart_sentence(record)}"
    assert "the network predicted a constant; trained again with learning rate 0.002: validation loss" in lines[-1]
    assert result.spec == TrialSpec("hot")
    assert result.model.config == data.plan.config  # the settings of the run stay as they were given
    assert result.validated("accuracy") > 0.7


def test_both_trainings_are_counted(hot):
    result, _ = hot
    assert result.seconds == pytest.approx(result.training_history.seconds + result.model.card.restart.seconds, abs=0.1)
    assert result.model.card.seconds == pytest.approx(result.seconds, abs=0.1)


@pytest.mark.slow
def test_there_is_one_second_training_at_most(nothing):
    calls = []

    class Counted(Logged):
        def bar(self, title, *rest, **more):
            calls.append(title)
            return super().bar(title, *rest, **more)

    report = Counted()
    data = prepare(nothing, {"target": "kind", "train": {"epochs": 10}, "seed": 1, "width": 16})
    result = run_trial(data, TrialSpec("nothing"), Control(report))
    assert calls.count("training") == 2
    assert result.collapsed and result.model.card.collapsed
    sentence = restart_sentence(result.model.card.restart)
    assert report.lines[-1] == f"? {sentence}"
    assert "perhaps the columns say nothing about the target" in sentence and "!" not in sentence


def test_a_healthy_network_is_left_alone(table):
    data = prepare(table, {"target": "kind", "train": {"epochs": 3}})
    one, other = (run_trial(data, TrialSpec("usual"), Control(restarts=restarts)) for restarts in (True, False))
    assert one.model.card.restart is None and not one.collapsed
    assert "restart" not in one.model.card.to_json()
    for own, expected in zip(one.model.network.parameters(), other.model.network.parameters(), strict=True):
        assert torch.equal(own, expected)


@pytest.mark.parametrize(
    "control", [Control(should_stop=lambda: True), Control(restarts=False)], ids=["time", "search"]
)
def test_without_time_or_in_a_search_the_network_is_only_marked(control, data):
    result = run_trial(data, TrialSpec("hot"), control)
    assert result.collapsed
    record = result.model.card.restart
    assert record.learning_rate is None and len(record.losses) == 1
    assert "It was not trained again" in restart_sentence(record)


def test_a_callback_that_ends_the_training_ends_all_of_it(data):
    class Enough(sensorium.Callback):
        def on_epoch_end(self, event):
            raise sensorium.StopTraining

    result = run_trial(data, TrialSpec("hot"), Control(callbacks=[Enough()]))
    assert result.collapsed and result.model.card.restart.learning_rate is None


def test_callbacks_can_tell_the_second_training(data):
    class Seen(sensorium.Callback):
        def __init__(self):
            self.trials = []

        def on_fit_start(self, event):
            self.trials.append((event.trial, event.settings["learning_rate"]))

    seen = Seen()
    run_trial(data, TrialSpec("hot"), Control(callbacks=[seen]))
    assert seen.trials == [("hot", 300.0), ("hot, restarted", 2e-3)]


def test_a_second_training_that_diverges_leaves_the_first(data, monkeypatch):
    monkeypatch.setattr(_restart, "SLOWER", 1e-30)
    monkeypatch.setattr(_restart, "TrainConfig", lambda: TrainConfig(learning_rate=1e30))
    result = run_trial(data, TrialSpec("hot"))
    record = result.model.card.restart
    assert result.error is None and result.collapsed and record.kept == "first" and "loss" in record.failure
    assert f"failed ({record.failure})" in restart_sentence(record)


def test_the_ledger_remembers_the_collapse(data, tmp_path):
    result = run_trial(data, TrialSpec("hot"), Control(restarts=False))
    ledger = Ledger(data, tmp_path)
    ledger.record(result, ledger.save_model(result))
    assert ledger.find(result.spec).collapsed
    assert ledger.load_model(result.spec).card.collapsed


def test_the_saved_model_and_the_json_of_fit_say_it(table, tmp_path):
    model = sensorium.fit(table, "kind", out=tmp_path, progress=False, **HOT)
    card = json.loads(json.dumps(sensorium.load(tmp_path).card))
    assert card["restart"] == model.card["restart"]
    assert card["restart"]["sentence"].startswith("the network predicted a constant; trained again")
    assert math.isfinite(card["restart"]["losses"][0])
    assert [path.name for path in tmp_path.glob("checkpoint*")] == []


def weights(folder):
    return (folder / "model" / "weights.safetensors").read_bytes()


@pytest.mark.slow
def test_a_run_cut_in_either_training_ends_with_the_same_bits(table, tmp_path, monkeypatch):
    settings = {**HOT, "train": {**HOT["train"], "epochs": 2, "checkpoint": 0.0, "batch_size": 64}}
    written, write, cut = [], checkpoint.write_tree, [0]

    def watched(path, about, content):
        write(path, about, content)
        written.append(path.name)
        if len(written) == cut[0]:
            raise Cut

    monkeypatch.setattr(checkpoint, "write_tree", watched)

    def fit(**more):
        written.clear()
        return sensorium.fit(table, "kind", out=tmp_path, progress=False, **settings, **more)

    fit()
    whole, names = weights(tmp_path), list(written)
    first = names.count("checkpoint.safetensors")
    assert names == ["checkpoint.safetensors"] * first + ["checkpoint-restart.safetensors"] * (len(names) - first)
    assert len(names) > first > 0
    for place in (2, first, first + 1, len(names)):
        cut[0] = place
        with pytest.raises(Cut):
            fit(overwrite=True)
        cut[0] = 0
        fit(resume=True)
        assert written == names[place:]
        assert weights(tmp_path) == whole
