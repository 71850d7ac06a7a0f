"""The examples run, and the founding formulas are what they say: a forward pass written by hand gives the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

import sensorium
from sensorium.prepare import prepare_columns
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.testing import make_table

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = ["module_encoder.py", "keras_encoder.py"]
SETTINGS = ["augmented.yaml", "two_tower.yaml", "weighted_sum.yaml"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return make_table(tmp_path_factory.mktemp("table"), rows=90, modalities=["image", "text"])


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_run(name, table, tmp_path):
    environment = {**os.environ, "KERAS_HOME": str(tmp_path)}
    command = [sys.executable, str(EXAMPLES / name), str(table)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("test accuracy ")


def test_every_example_is_run():
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} == {*SCRIPTS, *SETTINGS, "windows.yaml"}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_work_on_the_command_line(name, table, tmp_path):
    command = [sys.executable, "-m", "sensorium", "fit", str(table), "--config", str(EXAMPLES / name)]
    done = subprocess.run(
        [*command, "--out", "run", "--epochs", "1", "--json"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["columns"] == {"image": "image", "text": "text"}
    assert sensorium.load(tmp_path / "run").task == "multiclass"


@pytest.mark.slow
def test_a_long_table_is_fitted_and_answered_on_the_command_line(tmp_path):
    random = np.random.default_rng(0)
    lines = [f"{name},2026-{1 + day // 28:02d}-{1 + day % 28:02d}" for name in "ab" for day in range(100)]
    lines = [f"{line},{price:.3f},{int(price) % 7}" for line, price in zip(lines, random.normal(size=200), strict=True)]
    (tmp_path / "prices.csv").write_text("\n".join(["name,day,price,volume", *random.permutation(lines)]))
    command = [sys.executable, "-m", "sensorium"]
    calls = [
        ["fit", "prices.csv", "--config", EXAMPLES / "windows.yaml", "--out", "run", "--epochs", "1", "--json"],
        ["predict", "run", "prices.csv", "-o", "answers.csv", "--json"],
    ]
    for call in calls:
        done = subprocess.run([*command, *map(str, call)], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "windows: 162 windows of 20 steps from 200 rows of 2 entities" in done.stderr
    assert sensorium.load(tmp_path / "run").columns == {"name": "category", "price": "series", "volume": "series"}
    header, *rows = (tmp_path / "answers.csv").read_text().splitlines()
    assert header.startswith('"row","name","day","prediction"') and len(rows) == 162


@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_are_a_dozen_lines(name):
    lines = (EXAMPLES / name).read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) <= 14


def fitted(name, table, **settings):
    """The network alone, as the formula describes it: without the step that calibrates its probabilities."""
    return sensorium.fit(table, config=EXAMPLES / name, epochs=2, calibrate="none", progress=False, **settings)


def inputs(model, table):
    """Token ids, their lengths and pixels, as the columns' modalities prepare them."""
    prepared = prepare_columns(open_table(table), model.fitted.learnt, Silent())
    ragged = prepared.columns["text"].values
    ids = [torch.from_numpy(np.array(ragged[row])).long() for row in range(len(ragged))]
    return ids, torch.from_numpy(prepared.columns["image"].values)


def weights(model):
    return {name: value.double() for name, value in model.fitted.network.state_dict().items()}


def tower_weights(w, model, column):
    place = [tower.name for tower in model.fitted.blueprint.towers].index(column)
    prefix = f"towers.{place}."
    return {name.removeprefix(prefix): value for name, value in w.items() if name.startswith(prefix)}


def lstm(words, w, name):
    """The last state of an LSTM (Hochreiter and Schmidhuber 1997), step by step; words (t, e)."""
    weight = {part: w[f"encoder.{name}.{part}_l0"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    h = c = words.new_zeros(weight["weight_hh"].shape[1])
    for word in words:
        gates = weight["weight_ih"] @ word + weight["bias_ih"] + weight["weight_hh"] @ h + weight["bias_hh"]
        i, f, g, o = gates.chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
    return h


def rnn(ids, w):
    """Embedding → LSTM forwards and backwards → both last states."""
    words = w["encoder.embed.weight"][ids]
    return torch.cat([lstm(words, w, "forwards"), lstm(words.flip(0), w, "backwards")])


def pixels(image):
    """uint8 (h, w, c) → (1, c, h, w) from −1 to 1."""
    return (image.permute(2, 0, 1)[None].double() / 127.5) - 1


def test_two_towers_equal_the_classic_model_written_by_hand(table):
    model = fitted("two_tower.yaml", table)
    w = weights(model)
    text, image = tower_weights(w, model, "text"), tower_weights(w, model, "image")
    expected = []
    for ids, picture in zip(*inputs(model, table), strict=True):
        maps = functional.conv2d(
            pixels(picture), image["encoder.layers.0.0.weight"], image["encoder.layers.0.0.bias"], padding=1
        )
        joined = torch.cat([functional.relu(maps).flatten(), rnn(ids, text)])
        expected.append((w["head.weight"] @ joined + w["head.bias"]).softmax(0))
    assert [tower.name for tower in model.fitted.blueprint.towers] == ["image", "text"]
    assert model.predict_proba(table) == pytest.approx(torch.stack(expected).numpy(), abs=1e-6)


def cnn(image, w):
    """Convolution, pooling, batch normalisation and ReLU, three times; then the mean of the map."""
    maps = pixels(image)
    for layer in range(3):
        name = f"encoder.layers.{layer}"
        maps = functional.max_pool2d(functional.conv2d(maps, w[f"{name}.0.weight"], padding=1), 2)
        mean, variance = w[f"{name}.2.running_mean"], w[f"{name}.2.running_var"]
        scale = w[f"{name}.2.weight"] / (variance + 1e-5).sqrt()
        maps = functional.relu((maps - mean[:, None, None]) * scale[:, None, None] + w[f"{name}.2.bias"][:, None, None])
    return maps.mean((2, 3))[0]


def projected(vector, w):
    return w["project.weight"] @ vector + w["project.bias"] if "project.weight" in w else vector


@pytest.mark.parametrize("alpha", [0.5, 0.25, "learned", "per_feature"])
def test_weighted_sum_equals_the_founding_formula_written_by_hand(table, alpha):
    """F(x) = α·CNN(x) + (1−α)·RNN(x)"""
    model = fitted("weighted_sum.yaml", table, fusion={"name": "weighted_sum", "alpha": alpha})
    w = weights(model)
    text, image = tower_weights(w, model, "text"), tower_weights(w, model, "image")
    a = alpha if isinstance(alpha, float) else w["fusion.logits"].softmax(0)[0]
    expected = []
    for ids, picture in zip(*inputs(model, table), strict=True):
        fused = a * projected(cnn(picture, image), image) + (1 - a) * projected(rnn(ids, text), text)
        expected.append((w["head.weight"] @ fused + w["head.bias"]).softmax(0))
    assert model.predict_proba(table) == pytest.approx(torch.stack(expected).numpy(), abs=1e-6)
    share = float(a.mean()) if torch.is_tensor(a) else a
    assert model.card["shares"] == pytest.approx({"image": share, "text": 1 - share}, abs=1e-5)
