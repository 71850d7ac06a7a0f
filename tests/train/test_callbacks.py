"""Callbacks receive typed events, may stop training, and change no bit of the model."""

import dataclasses
import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch

import sensorium
from sensorium import Callback, CallbackError, ConfigError, EpochEnd, FitEnd, FitStart, StopTraining
from sensorium.errors import TrainingError
from sensorium.train import Interrupted
from sensorium.train.interrupt import Stop
from sensorium.wording.card import stop_sentence

TRAIN = {"epochs": 3, "patience": None}


class Recorder(Callback):
    """Remembers every event."""

    def __init__(self):
        self.events = []

    def on_fit_start(self, event):
        self.events.append(event)

    def on_epoch_end(self, event):
        self.events.append(event)

    def on_fit_end(self, event):
        self.events.append(event)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def epochs(self):
        return [event.epoch for event in self.of(EpochEnd)]


def fit(table, *callbacks, train=TRAIN, **settings):
    return sensorium.fit(table, "label", callbacks=callbacks, train=train, progress=False, **settings)


def weights(model):
    return {name: value.clone() for name, value in model.fitted.network.state_dict().items()}


def same(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_events_tell_what_the_history_tells(tabular):
    recorder = Recorder()
    model = fit(tabular, recorder)
    history = model.card["history"]
    start, *epochs, end = recorder.events
    assert isinstance(start, FitStart) and isinstance(end, FitEnd)
    assert (start.trial, start.stage, start.epochs, start.epochs_done) == ("plain", "training", 3, 0)
    assert start.metric == history["watched"] and start.train_rows == model.card["rows"]["train"]
    assert start.settings["seed"] == 0 and start.settings["epochs"] == 3 and start.settings["optimizer"] == "adamw"
    assert [event.epoch for event in epochs] == [1, 2, 3]
    for event, line in zip(epochs, history["epochs"], strict=True):
        assert event.train_loss == line["loss"] and event.learning_rate == line["learning_rate"]
        assert event.seconds == line["seconds"] > 0
        assert event.validation_metrics == {
            "loss": line["validation_loss"],
            "calibrated_loss": line["calibrated_loss"],
            history["watched"]: line["metric"],
        }
    assert epochs[-1].best_epoch == history["best"] == end.best_epoch
    assert (end.outcome, end.epochs_done) == ("completed", 3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        epochs[0].epoch = 9


def test_there_are_no_validation_metrics_without_validation_rows(tabular):
    recorder = Recorder()
    fit(tabular, recorder, split={"validation": 0})
    assert all(event.validation_metrics == {} for event in recorder.of(EpochEnd))
    assert recorder.of(EpochEnd)[-1].is_best


class Meddler(Callback):
    """Draws random numbers from everywhere, and seeds the generators anew."""

    def on_fit_start(self, event):
        self.on_epoch_end(event)

    def on_epoch_end(self, event):
        torch.manual_seed(99)
        torch.rand(7)
        np.random.seed(1)
        random.seed(1)

    def on_fit_end(self, event):
        self.on_epoch_end(event)


def test_weights_are_the_same_with_and_without_callbacks(tabular):
    plain, watched = fit(tabular), fit(tabular, Meddler(), Recorder())
    assert same(weights(plain), weights(watched))


CHANGES = {
    "dtype": lambda: torch.set_default_dtype(torch.float64),
    "device": lambda: torch.set_default_device("meta"),
    "threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "gradients": lambda: torch.set_grad_enabled(False),
    "deterministic": lambda: torch.use_deterministic_algorithms(True),
    "anomalies": lambda: torch.autograd.set_detect_anomaly(True),
    "matrix products": lambda: torch.set_float32_matmul_precision("medium"),
    "autocast": lambda: torch.set_autocast_enabled("cpu", True),
    "oneDNN": lambda: setattr(torch.backends.mkldnn, "enabled", False),
    "floating-point errors": lambda: np.seterr(all="raise"),
    "folder": lambda: os.chdir("/"),
}


def state():
    """The global state of torch and NumPy, and the current folder."""
    deterministic = torch.are_deterministic_algorithms_enabled(), torch.is_anomaly_enabled()
    types = torch.get_default_dtype(), torch.get_default_device(), torch.get_float32_matmul_precision()
    kernels = torch.is_autocast_enabled("cpu"), torch.backends.mkldnn.enabled
    return torch.get_num_threads(), torch.is_grad_enabled(), deterministic, types, kernels, np.geterr(), Path.cwd()


class Sets(Callback):
    """Changes the global state in every method."""

    def __init__(self, change):
        self.change = change

    def on_fit_start(self, event):
        self.change()

    def on_epoch_end(self, event):
        self.change()

    def on_fit_end(self, event):
        self.change()


FEW = {"x": [float(row % 7) for row in range(60)], "label": ["a", "b", "b"] * 20}


@pytest.fixture(scope="module")
def plain():
    return weights(fit(FEW, train={"epochs": 2}))


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_callback_sets_for_the_whole_process_is_restored(name, plain):
    folder, before = Path.cwd(), state()
    try:
        model = fit(FEW, Sets(CHANGES[name]), train={"epochs": 2})
        assert state() == before
        assert same(plain, weights(model))
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
        torch.set_grad_enabled(True)
        torch.set_autocast_enabled("cpu", False)
        torch.backends.mkldnn.enabled = True
        os.chdir(folder)


def test_a_callback_that_leaves_torch_in_inference_mode_is_named(tabular):
    mode = torch.inference_mode()
    try:
        with pytest.raises(CallbackError, match=r"callback Sets failed in on_fit_start: .*inference mode"):
            fit(tabular, Sets(lambda: torch.is_inference_mode_enabled() or mode.__enter__()))
    finally:
        mode.__exit__(None, None, None)


def test_a_callback_that_leaves_torch_in_the_context_of_a_device_is_named(tabular):
    entered, device = [], torch.device("meta")
    try:
        with pytest.raises(CallbackError, match=r"callback Sets failed in on_fit_start: .*context of a device"):
            fit(tabular, Sets(lambda: entered or entered.append(device.__enter__())))
    finally:
        device.__exit__(None, None, None)


class StopAfter(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, event):
        if event.epoch == self.epoch:
            raise StopTraining


def test_a_callback_can_stop_training(tabular):
    recorder = Recorder()
    model = fit(tabular, StopAfter(2), recorder)
    assert len(model.card["history"]["epochs"]) == 2 == recorder.epochs[-1], "the others get the epoch, too"
    assert recorder.of(FitEnd)[0].outcome == "stopped"


@pytest.mark.slow
def test_the_model_card_says_that_a_callback_stopped_training(tabular, tmp_path):
    model = fit(tabular, StopAfter(2), out=tmp_path)
    reason = {"reason": "callback", "epoch": 2, "epochs": 1}
    assert model.card["history"]["stopped"] == reason
    assert json.loads((tmp_path / "history.json").read_text())["stopped"] == reason
    assert sensorium.load(tmp_path).card["history"]["stopped"] == reason
    assert stop_sentence(model.fitted.card.history) == "stopped after epoch 2: a callback ended the training"
    last = len(fit(tabular).card["history"]["epochs"])
    assert "stopped" not in fit(tabular, StopAfter(last)).card["history"]


class Fails(Callback):
    def __init__(self, method="on_epoch_end", error=None):
        def fail(event):
            if getattr(event, "epoch", 2) == 2:
                raise error or KeyError("no such thing")

        setattr(self, method, fail)


@pytest.mark.parametrize("method", ["on_fit_start", "on_epoch_end", "on_fit_end"])
def test_an_exception_in_a_callback_names_it_and_its_cause(tabular, method):
    recorder = Recorder()
    with pytest.raises(CallbackError, match=rf"callback Fails failed in {method}: KeyError: 'no such thing'") as caught:
        fit(tabular, recorder, Fails(method))
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.place.endswith("test_callbacks.Fails") and caught.value.cure
    assert [event.outcome for event in recorder.of(FitEnd)] == (["completed"] if method == "on_fit_end" else ["failed"])


def test_the_best_model_so_far_stays_in_the_folder_when_a_callback_fails(tabular, tmp_path):
    with pytest.raises(CallbackError):
        fit(tabular, Fails(), out=tmp_path)
    expected = fit(tabular, StopAfter(2), train=TRAIN)
    kept = sensorium.load(tmp_path)
    assert same(weights(expected), weights(kept))


def test_stopping_is_for_the_end_of_an_epoch(tabular):
    with pytest.raises(CallbackError, match="StopTraining can only be raised in on_epoch_end"):
        fit(tabular, Fails("on_fit_start", StopTraining()))


def test_a_callback_that_fails_is_not_taken_for_a_remedy_that_fails(tabular):
    """Remedies whose training fails are passed over; a failing callback is an error of the whole fit."""

    class FailsOnRemedies(Callback):
        def on_fit_start(self, event):
            if event.trial != "plain":
                raise TrainingError("not a failure of the training")

    with pytest.raises(CallbackError, match="FailsOnRemedies"):
        fit(tabular, FailsOnRemedies(), train={"epochs": 1, "imbalance": "always"})


def test_a_resumed_training_does_not_repeat_events(tabular, tmp_path, monkeypatch):
    """A signal in the second epoch: its first epoch is in the checkpoint."""
    first, second, stop = Recorder(), Recorder(), Stop()

    class Signal(Callback):
        def on_epoch_end(self, event):
            stop.signal = 15 if event.epoch == 2 else 0

    train = {**TRAIN, "checkpoint": 0}
    with monkeypatch.context() as patch:
        patch.setattr("sensorium.train.checkpoint.Stop", lambda: stop)
        with pytest.raises(Interrupted):
            fit(tabular, first, Signal(), train=train, out=tmp_path)
    assert first.epochs == [1, 2] and first.of(FitEnd)[0].outcome == "interrupted"
    model = fit(tabular, second, train=train, out=tmp_path, resume=True)
    assert second.epochs == [3] and second.of(FitStart)[0].epochs_done == 2
    assert second.of(EpochEnd)[0].best_epoch == model.card["history"]["best"]


def test_pre_training_sends_events_of_its_own():
    values = np.random.default_rng(0).normal(size=(80, 4))
    table = {"x": values[:, 0], "vector": values.tolist(), "label": np.where(values[:, 1] > 0, "a", "b")}
    recorder = Recorder()
    train = {"epochs": 1, "pretrain": {"techniques": ["contrastive"], "epochs": 2, "batch_size": 16}}
    fit(table, recorder, train=train, modalities={"vector": "vector"})
    assert [(event.stage, event.epochs) for event in recorder.of(FitStart)] == [("pre-training", 2), ("training", 1)]
    assert recorder.of(FitStart)[0].settings["batch_size"] == 16
    assert recorder.epochs == [1, 2, 1]


@pytest.mark.parametrize(
    ("callbacks", "finding"),
    [
        ([print], "an object of type builtin_function_or_method is not a callback"),
        ([Recorder], "the class Recorder"),
        (Recorder(), "list"),
    ],
)
def test_what_is_not_a_callback_is_refused_before_the_table_is_read(callbacks, finding):
    with pytest.raises(ConfigError, match=finding):
        sensorium.fit("no such table.csv", "label", callbacks=callbacks)


@pytest.mark.parametrize("name", ["on_train_begin", "on_epoch_start", "on_batch_end"])
def test_a_method_that_no_event_calls_is_refused(name):
    kind = type("Mine", (Callback,), {name: lambda self, event: None})
    with pytest.raises(ConfigError, match=f"no event calls Mine.{name}") as caught:
        sensorium.fit("no such table.csv", "label", callbacks=[kind()])
    assert "on_fit_start" in caught.value.cure
