"""Eight-bit weights: how far they are from what they stand for, and that nothing else of a model changes."""

import numpy as np
import pytest
import torch
from torch import nn

import sensorium
from sensorium.errors import ConfigError
from sensorium.model._int8 import Int8Embedding, Int8Linear, to_int8
from sensorium.model.quantization import quantize
from sensorium.testing import make_pretrained


def rounded(values):
    """In NumPy: each row by its own largest number."""
    scale = np.abs(values).max(1, keepdims=True) / 127
    scale[scale == 0] = 1
    return np.round(values / scale) * scale


@pytest.fixture(scope="module")
def values():
    random = np.random.default_rng(0)
    found = random.normal(size=(6, 40)).astype(np.float32)
    found[2] = 0
    return found


@pytest.mark.unit
def test_rounding_is_that_of_its_formula(values):
    coarse, scale = to_int8(torch.tensor(values))
    assert coarse.dtype == torch.int8
    np.testing.assert_allclose((coarse * scale[:, None]).numpy(), rounded(values), atol=1e-6)
    assert np.abs(rounded(values) - values).max() <= np.abs(values).max() / 127 / 2 + 1e-6


@pytest.mark.unit
@pytest.mark.parametrize("bias", [True, False])
def test_a_product_is_that_of_the_rounded_numbers(values, bias):
    linear = nn.Linear(40, 24, bias=bias)
    found = Int8Linear.of(linear)(torch.tensor(values).reshape(2, 3, 40))
    weight = rounded(linear.weight.detach().numpy())
    expected = rounded(values) @ weight.T + (linear.bias.detach().numpy() if bias else 0)
    np.testing.assert_allclose(found.detach().numpy().reshape(6, 24), expected, atol=1e-5)
    np.testing.assert_allclose(Int8Linear.of(linear).weight.numpy(), weight, atol=1e-6)


@pytest.mark.unit
def test_a_row_alone_is_answered_as_among_others(values):
    module = Int8Linear.of(nn.Linear(40, 24))
    rows = torch.tensor(values)
    torch.testing.assert_close(module(rows[1:2]), module(rows)[1:2], rtol=0, atol=0)


@pytest.mark.unit
def test_a_table_of_vectors_is_rounded_row_by_row():
    table = nn.Embedding(7, 20)
    places = torch.tensor([[3, 0], [6, 6]])
    expected = rounded(table.weight.detach().numpy())[places.numpy()]
    np.testing.assert_allclose(Int8Embedding.of(table)(places).numpy(), expected, atol=1e-6)


@pytest.mark.unit
def test_attention_of_torch_and_small_matrices_are_left_alone():
    network = nn.Sequential(
        nn.TransformerEncoderLayer(128, 4, 512, batch_first=True), nn.Linear(128, 128), nn.Linear(4, 4)
    )
    assert quantize(network) == ["1"]
    assert [name for name, module in network.named_modules() if isinstance(module, Int8Linear)] == ["1"]


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    words = np.array(["good", "fine", "bad", "poor", "round", "tall", "red"])
    texts = [" ".join(random.choice(words, 6)) for _ in range(240)]
    label = ["up" if sum(w in text.split() for w in ("good", "fine")) > 1 else "down" for text in texts]
    return {"text": texts, "x": random.normal(size=240).tolist(), "label": label}


@pytest.fixture(scope="module")
def model(table, tmp_path_factory):
    folder = make_pretrained("text", tmp_path_factory.mktemp("text"), 0)
    encoders = {"text": {"name": "pretrained_text", "model": str(folder), "tune": "full", "learning_rate_scale": 1.0}}
    return sensorium.fit(table, "label", encoders=encoders, width=256, epochs=6, progress=False)


def test_answers_hardly_change_and_weights_shrink(model, table):
    small = model.quantize()
    np.testing.assert_allclose(small.predict_proba(table), model.predict_proba(table), atol=0.05)
    assert small.evaluate(table).metrics["accuracy"] == pytest.approx(
        model.evaluate(table).metrics["accuracy"], abs=0.02
    )
    assert small.weight_bytes < 0.6 * model.weight_bytes
    assert not np.array_equal(small.predict_proba(table), model.predict_proba(table))
    assert not model.fitted.int8  # the model itself stays as it is


@pytest.mark.parametrize("name", ["model", "model.zip"])
def test_a_saved_one_answers_as_before(model, table, tmp_path, name):
    small = model.quantize()
    small.save(tmp_path / name)
    again = sensorium.load(tmp_path / name)
    np.testing.assert_array_equal(again.predict_proba(table), small.predict_proba(table))
    assert again.fitted.int8 == small.fitted.int8


def test_what_can_not_be_quantised_is_told(model, tabular):
    with pytest.raises(ConfigError, match="already quantized"):
        model.quantize().quantize()
    tiny = sensorium.fit(tabular, "label", columns=["number"], width=8, epochs=1, progress=False)
    with pytest.raises(ConfigError, match="nothing to quantize"):
        tiny.quantize()


def test_another_device_than_the_cpu_is_refused(model, tmp_path):
    model.quantize().save(tmp_path / "small")
    with pytest.raises(ConfigError, match="cannot run on device"):
        sensorium.load(tmp_path / "small", device="meta")
