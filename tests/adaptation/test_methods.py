"""Each method against its formula in NumPy, and what it is for."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import sensorium
from sensorium.adaptation import _adapt
from sensorium.adaptation.tent import information_loss
from sensorium.errors import ConfigError, DataError
from sensorium.model.card import CalibrationRecord
from sensorium.predictor import Model

CLASSES = ["a", "b", "c"]


def picture(label, contrast, light, random):
    """A bar whose place is the class."""
    pixels = random.normal(60, 15, (16, 16))
    pixels[3 + 4 * label : 6 + 4 * label] += 110
    pixels = np.clip(contrast * pixels + light, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(found := io.BytesIO(), "PNG")
    return found.getvalue()


def made(rows=240, contrast=1.0, light=0.0, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, rows)
    cells = [picture(label, contrast, light, random) for label in labels]
    gaps = [None if row % 9 == 4 else float(k + 2 * random.normal()) for row, k in enumerate(labels)]
    return {"bar": cells, "number": gaps, "label": [CLASSES[k] for k in labels]}


@pytest.fixture(scope="module")
def model():
    encoder = {"name": "image_cnn", "filters": [6, 8]}
    return sensorium.fit(
        made(), "label", width=16, epochs=12, batch_size=16, modalities={"bar": {"size": 16}},
        encoders={"bar": encoder}, train={"learning_rate": 0.01}, progress=False,
    )  # fmt: skip


def convolve(maps, weight):
    """float64 (n, c, h, w) with a 3 × 3 filter, zeros around: a loop over its nine places."""
    wide = np.pad(maps, ((0, 0), (0, 0), (1, 1), (1, 1)))
    height, width = maps.shape[2:]
    parts = [
        np.einsum("nchw,oc->nohw", wide[:, :, y : y + height, x : x + width], weight[:, :, y, x])
        for y in range(3)
        for x in range(3)
    ]
    return sum(parts)


def pool(maps):
    n, c, h, w = maps.shape
    return maps.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))


def pixels_of(cells):
    grey = np.stack([np.asarray(Image.open(io.BytesIO(cell)).convert("RGB")) for cell in cells]).astype(np.float64)
    return grey.transpose(0, 3, 1, 2) / 127.5 - 1


@pytest.mark.slow
@pytest.mark.parametrize("prior", [0, 100])
def test_adabn_takes_each_layers_mean_and_variance_from_the_rows(model, prior):
    table = made(60, contrast=0.4, light=20, seed=2)
    tower = next(t for t in model.fitted.network.every_tower if t.name == "bar")
    weights = {name: value.double().numpy() for name, value in tower.encoder.state_dict().items()}
    channels = next(v.shape[1] for v in weights.values() if v.ndim == 4)
    maps, share = pixels_of(table["bar"])[:, :channels], 60 / (60 + prior)
    expected = []
    for layer in (n.removesuffix("running_mean") for n in weights if n.endswith("running_mean")):
        place, number = layer.rstrip(".").rpartition(".")[::2]
        conv = next(n for n in weights if n.startswith(f"{place}.") and weights[n].ndim == 4)
        maps = pool(convolve(maps, weights[conv]))
        assert int(number) > 0
        mean = share * maps.mean((0, 2, 3)) + (1 - share) * weights[f"{layer}running_mean"]
        variance = share * maps.var((0, 2, 3)) + (1 - share) * weights[f"{layer}running_var"]
        expected += [mean, variance]
        scaled = (maps - mean[:, None, None]) / np.sqrt(variance[:, None, None] + 1e-5)
        maps = np.maximum(scaled * weights[f"{layer}weight"][:, None, None] + weights[f"{layer}bias"][:, None, None], 0)
    adapted = model.adapt(table, "adabn", prior=prior)
    found = [v.numpy() for n, v in adapted.fitted.network.state_dict().items() if "running_" in n]
    assert len(found) == 4
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, rel=2e-4, abs=2e-4)


def test_adabn_does_not_hang_on_how_rows_are_batched(model, monkeypatch):
    table = made(50, contrast=0.4, seed=2)
    one = model.adapt(table)
    monkeypatch.setattr("sensorium.model.member.BATCH", 7)
    other = model.adapt(table)
    for a, b in zip(one.fitted.network.state_dict().values(), other.fitted.network.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("method", ["adabn", "tent"])
def test_another_light_is_made_good(model, method):
    table = made(240, contrast=0.5, light=20, seed=3)
    adapted = model.adapt(table, method)
    before, after = (each.evaluate(table, "all").metrics["accuracy"] for each in (model, adapted))
    assert before < 0.6
    assert after > 0.8
    difference = adapted.card["moved"]["metrics"]["difference"]
    assert difference["value"] == pytest.approx(after - before)
    assert difference["interval"][0] > 0


@pytest.mark.slow
@pytest.mark.parametrize("method", ["adabn", "tent"])
def test_the_same_domain_is_not_made_worse(model, method):
    table = made(240, seed=4)
    before, after = (each.evaluate(table, "all").metrics["accuracy"] for each in (model, model.adapt(table, method)))
    assert after > before - 0.03


def test_tent_changes_statistics_gains_and_offsets_alone(model):
    table = made(90, contrast=0.4, seed=2)
    before = {name: value.clone() for name, value in model.fitted.network.state_dict().items()}
    adapted = model.adapt(table, "tent", epochs=4)
    normalised = {
        f"{name}.{leaf}"
        for name, part in model.fitted.network.named_modules()
        if isinstance(part, nn.BatchNorm2d)
        for leaf in ("weight", "bias", "running_mean", "running_var")
    }
    after = adapted.fitted.network.state_dict()
    assert {name for name in before if not torch.equal(before[name], after[name])} == normalised
    losses = adapted.card["adapted"]["losses"]
    assert losses[-1] < losses[0]


@pytest.mark.unit
def test_the_loss_of_tent_is_its_formula():
    logits = np.random.default_rng(0).normal(size=(7, 3)) * 2
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    entropy = -(p * np.log(p)).sum(1).mean()
    spread = -(p.mean(0) * np.log(p.mean(0))).sum()
    assert float(information_loss(torch.tensor(logits), 0.5)) == pytest.approx(entropy - 0.5 * spread, abs=1e-6)
    one = torch.tensor(logits[:, :1])
    two = torch.cat([torch.zeros_like(one), one], 1)
    assert float(information_loss(one, 1.0)) == pytest.approx(float(information_loss(two, 1.0)))


def test_labels_are_read_for_the_report_alone(model):
    table = made(60, contrast=0.5, seed=2)
    wrong = {**table, "label": table["label"][::-1]}
    none = {name: cells for name, cells in table.items() if name != "label"}
    weights = [
        torch.cat([v.flatten().double() for v in model.adapt(t, "tent").fitted.network.state_dict().values()])
        for t in (table, wrong, none)
    ]
    assert torch.equal(weights[0], weights[1]) and torch.equal(weights[0], weights[2])
    assert "metrics" not in model.adapt(none).card["moved"]


def test_an_adapted_model_is_saved_and_loaded(model, tmp_path):
    table = made(40, contrast=0.5, seed=2)
    adapted = model.adapt(table)
    adapted.save(tmp_path / "m.zip")
    again = sensorium.load(tmp_path / "m.zip")
    assert np.array_equal(again.predict_proba(table), adapted.predict_proba(table))
    assert again.card == adapted.card


def test_a_model_that_has_nothing_to_adapt_is_told(tabular, model):
    plain = sensorium.fit(tabular, "label", epochs=1, progress=False)
    for method, message in (
        ("adabn", "no batch normalisation"),
        ("tent", "no batch normalisation"),
        ("adabnn", "did you mean 'adabn'"),
    ):
        with pytest.raises(ConfigError, match=message):
            plain.adapt(tabular, method)
    with pytest.raises(ConfigError, match="did you mean 'prior'"):
        model.adapt(made(20), priro=3)
    with pytest.raises(DataError, match="no row has a value"):
        model.adapt({"bar": [None] * 3, "number": [None] * 3})
    values = {"x": np.linspace(0, 1, 60), "y": np.linspace(0, 9, 60)}
    with pytest.raises(ConfigError, match="does not support the task regression"):
        sensorium.fit(values, "y", epochs=1, progress=False).adapt(values, "tent")


def test_an_ensemble_is_not_adapted_in_part(model):
    joined = sensorium.Model(replace(model.fitted, members=model.fitted.members * 2, member_weights=()))
    with pytest.raises(ConfigError, match="cannot adapt a model with the members network, network"):
        joined.adapt(made(20))


def test_a_model_that_has_nothing_to_adapt_is_told_before_cells_are_read(tabular, monkeypatch):
    plain = sensorium.fit(tabular, "label", epochs=1, progress=False)
    monkeypatch.setattr(_adapt, "prepare_columns", None)
    with pytest.raises(ConfigError, match="no batch normalisation"):
        plain.adapt(tabular)


def test_adapted_model_keeps_its_temperature_without_the_metrics_of_the_old_network(model):
    record = CalibrationRecord(temperature=2.0, reason="kept", test={"log_loss": [1.0, 0.9], "ece": [0.2, 0.1]})
    fitted = replace(model.fitted.with_first(temperature=2.0), card=model.fitted.card.updated(calibration=record))
    adapted = Model(fitted).adapt(made(seed=1))
    assert adapted.fitted.temperature == 2.0
    found = adapted.card["calibration"]
    assert (found["temperature"], found["reason"], found["test"]) == (2.0, "kept", None)
