"""The greedy soup: never worse on the validation rows than the best epoch, its statistics its own."""

import numpy as np
import pytest
import torch

import sensorium
from sensorium.config import Config
from sensorium.errors import ConfigError
from sensorium.planning import plan_and_prepare
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.train import soup
from sensorium.train.best import Best
from sensorium.train.history import Epoch, History
from sensorium.train.soup import average, mix_soup
from sensorium.train.validate import Validated
from sensorium.trials import TrialSpec, build_fitted, model_of_none, training_of
from tiers import tiered


@pytest.fixture(scope="module")
def table():
    """Noisy labels and a large rate, so that epochs differ and an average pays."""
    random = np.random.default_rng(0)
    x = random.normal(size=(240, 4))
    flipped = (x.sum(1) > 0) ^ (random.random(240) < 0.2)
    return {**{f"x{i}": x[:, i] for i in range(4)}, "label": np.where(flipped, "yes", "no")}


def fit(table, k, **more):
    train = {
        "epochs": 5,
        "soup": k,
        "few_labels": "none",
        "patience": None,
        "learning_rate": 0.02,
        "schedule": "constant",
        **more.pop("train", {}),
    }
    return sensorium.fit(table, "label", train=train, width=16, split={"validation": 0.3}, progress=False, **more)


def weights(model):
    return {name: value.clone() for name, value in model.fitted.network.state_dict().items()}


@pytest.mark.parametrize(
    ("seed", "metric", "sign"),
    tiered([(0, "log_loss", -1), (2, "accuracy", 1)], [(2, "log_loss", -1), (0, "accuracy", 1)]),
)
def test_it_is_never_worse_than_the_best_epoch(metric, sign, seed, table):
    model = fit(table, 4, seed=seed, train={"metric": metric})
    history = model.card["history"]
    best, found = history["epochs"][history["best"] - 1], history["soup"]
    assert (sign * found["metric"], -found["validation_loss"]) >= (sign * best["metric"], -best["validation_loss"])
    assert history["best"] in found["epochs"]
    assert len(found["epochs"]) <= 4
    # What is told is what the model that was given back answers.
    assert model.evaluate(table, "validation").metrics[metric] == pytest.approx(found["metric"], abs=1e-6)


def test_without_it_nothing_changes_and_with_it_the_weights_are_the_mean(table, tmp_path):
    plain, mixed = fit(table, 1), fit(table, 4, train={"metric": "log_loss"}, out=tmp_path)
    assert "soup" not in plain.card["history"]
    assert len(mixed.card["history"]["soup"]["epochs"]) > 1
    loaded = sensorium.load(tmp_path)
    assert all(torch.equal(value, weights(loaded)[name]) for name, value in weights(mixed).items())
    lone = fit(table, 1, train={"metric": "log_loss"})
    assert any(not torch.equal(value, weights(lone)[name]) for name, value in weights(mixed).items())


def test_only_what_does_not_hurt_goes_into_it(monkeypatch):
    """Three epochs of a model of one weight, 1, 4 and 10: the loss is the distance to 3."""
    model = torch.nn.Linear(1, 1, bias=False)
    values, history = (4.0, 1.0, 10.0), History("log_loss")
    history.epochs = [Epoch(n, 0, abs(v - 3), abs(v - 3), 0, 0, 0) for n, v in enumerate(values, 1)]

    class Job:
        pass

    Job.model = model

    best = Best(3, [(n, {"weight": torch.tensor([[v]])}) for n, v in enumerate(values, 1)])

    monkeypatch.setattr(soup, "validate", lambda *_: Validated(*[abs(model.weight.item() - 3)] * 3))
    monkeypatch.setattr(soup, "renew_statistics", lambda *_: None)
    mix_soup(Job, history, best)
    assert model.weight.item() == 2.5
    assert history.soup == {"epochs": [1, 2], "metric": 0.5, "validation_loss": 0.5, "calibrated_loss": 0.5}


def test_an_average_of_counts_and_fractions():
    parts = [
        {"w": torch.tensor([1.0, 2.0]), "n": torch.tensor(3)},
        {"w": torch.tensor([3.0, 7.0]), "n": torch.tensor(9)},
    ]
    found = average(parts)
    assert found["w"].tolist() == [2.0, 4.5] and found["w"].dtype == torch.float32
    assert found["n"].item() == 3


def test_statistics_of_batch_normalisation_are_those_of_the_averaged_weights(made):
    """Against the mean over batches of what goes into the layer, computed by a hook."""
    settings = {
        "target": "label",
        "columns": ["image"],
        "encoders": {"image": {"name": "image_cnn", "filters": [4, 4]}},
    }
    data = plan_and_prepare(open_table(made), Config.gather(settings, {"train": {"batch_size": 32}}), Silent())
    context = training_of(data, build_fitted(data, TrialSpec("model"), model_of_none))
    network = context.model
    norm = next(part for part in network.modules() if isinstance(part, torch.nn.BatchNorm2d))
    seen, momentum = [], norm.momentum
    hook = norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    before = {name: value.clone() for name, value in network.named_parameters()}
    soup.renew_statistics(context)
    hook.remove()
    assert len(seen) > 2 and not network.training and norm.momentum == momentum
    mean = torch.stack([batch.mean((0, 2, 3)) for batch in seen]).mean(0)
    variance = torch.stack([batch.transpose(0, 1).flatten(1).var(1) for batch in seen]).mean(0)
    torch.testing.assert_close(norm.running_mean, mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm.running_var, variance, rtol=1e-4, atol=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in network.named_parameters())


def test_without_validation_rows_nothing_can_choose_it(table):
    with pytest.raises(ConfigError, match=r"needs validation rows(.|\n)*train.soup"):
        sensorium.fit(table, "label", train={"soup": 2}, split={"validation": 0}, progress=False)
