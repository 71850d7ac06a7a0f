"""Tuning pretrained encoders after training over their features: it is kept if validation improves, and told."""

import re
import shutil

import numpy as np
import pytest
import torch

import sensorium
from sensorium.errors import ConfigError
from sensorium.evaluate import Difference
from sensorium.model.card import TuningRecord
from sensorium.testing import make_pretrained, make_table
from sensorium.wording import tuning_sentence


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_pretrained("image", tmp_path_factory.mktemp("m") / "m")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return make_table(tmp_path_factory.mktemp("t"), rows=90, modalities=["image", "number"])


def fit(table, folder, unfreeze, **more):
    return sensorium.fit(
        table, "label", encoders={"image": {"name": "pretrained_image", "model": str(folder)}}, epochs=2,
        train={"unfreeze": unfreeze, "metric": "log_loss"}, split={"validation": 0.3}, progress=False, **more,
    )  # fmt: skip


def backbone(model):
    return torch.cat([
        v.flatten() for n, v in model.fitted.network.state_dict().items() if "backbone" in n and v.is_floating_point()
    ])  # fmt: skip


@pytest.fixture(scope="module")
def plain(table, folder):
    return fit(table, folder, None)


def test_a_tuned_model_that_validates_better_is_kept(table, folder, plain, tmp_path):
    model = fit(table, folder, {"epochs": 4, "layers": "all", "learning_rate_scale": 0.2}, out=tmp_path / "run")
    told = model.card["tuning"]
    assert told["kept"] == "tuned" and told["tuned"] < told["frozen"]
    assert told["frozen"] == pytest.approx(plain.card["metrics"]["validation"]["metrics"]["log_loss"], abs=1e-5)
    assert told["tuned"] == pytest.approx(model.evaluate(table, "validation").metrics["log_loss"], abs=1e-5)
    assert told["difference"]["value"] == pytest.approx(told["frozen"] - told["tuned"])
    assert len(told["history"]["epochs"]) == 4
    assert len(model.card["history"]["epochs"]) == 2
    assert not torch.equal(backbone(model), backbone(plain))
    assert model.fitted.config.train.unfreeze.layers == "all"
    shutil.copytree(tmp_path / "run", tmp_path / "other")
    again = sensorium.load(tmp_path / "other")
    assert np.array_equal(again.predict_proba(table), model.predict_proba(table))
    assert again.card["tuning"] == told


@pytest.mark.slow
def test_one_that_does_not_is_given_up(table, folder):
    """At a rate of next to nothing nothing changes, and what changes nothing is not worth another model."""
    encoders = {"image": {"name": "pretrained_image", "model": str(folder)}}
    train = {"epochs": 2, "metric": "log_loss", "learning_rate": 1e-12}
    plain, model = (
        sensorium.fit(table, "label", encoders=encoders, train=train | more, split={"validation": 0.3}, progress=False)
        for more in ({}, {"unfreeze": {"epochs": 1, "layers": "all"}})
    )
    told = model.card["tuning"]
    assert told["kept"] == "frozen" and told["difference"]["value"] == pytest.approx(0, abs=1e-6)
    assert "does not pay off" in told["sentence"] and "the frozen ones are kept" in told["sentence"]
    for one, other in zip(plain.fitted.network.parameters(), model.fitted.network.parameters(), strict=True):
        assert torch.equal(one, other)
    assert model.fitted.blueprint == plain.fitted.blueprint


def test_one_that_breaks_down_is_given_up(table, folder, plain, monkeypatch):
    from sensorium.errors import TrainingError
    from sensorium.trials import _trial

    real = _trial.train

    def breaks(job, config, seed, **rest):
        if config.epochs == 7:
            raise TrainingError("the loss is nan in epoch 1")
        return real(job, config, seed, **rest)

    monkeypatch.setattr(_trial, "train", breaks)
    model = fit(table, folder, {"epochs": 7})
    assert model.card["tuning"]["kept"] == "frozen"
    assert "fine-tuning the encoders failed" in model.card["tuning"]["sentence"]
    assert np.array_equal(model.predict_proba(table), plain.predict_proba(table))


@pytest.mark.slow
@pytest.mark.parametrize(("layers", "first_changed"), [(1, False), ("all", True)])
def test_layers_says_how_much_learns(layers, first_changed, table, folder, plain):
    model = fit(table, folder, {"epochs": 4, "layers": layers, "learning_rate_scale": 0.5})
    assert model.card["tuning"]["kept"] == "tuned"
    same = [torch.equal(a, b) for a, b in zip(*(blocks(each) for each in (model, plain)), strict=True)]
    assert same[-1] is False
    assert same[0] is not first_changed


def blocks(model):
    """The weights of each layer of the encoder, one after the other."""
    state = model.fitted.network.state_dict()
    numbers = sorted({int(found[1]) for name in state if (found := re.search(r"backbone\.\D*\.(\d+)\.", name))})
    return [
        torch.cat([v.flatten() for n, v in state.items() if re.search(rf"backbone\.\D*\.{number}\.", n)])
        for number in numbers
    ]


@pytest.mark.slow
def test_the_rate_counts(table, folder):
    told = [
        fit(table, folder, {"epochs": 1, "learning_rate_scale": rate}).card["tuning"]["tuned"] for rate in (0.001, 0.9)
    ]
    assert told[0] != told[1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"columns": ["number"], "encoders": {}}, "nothing to unfreeze"),
        ({"split": {"validation": 0.0}}, "no validation rows"),
        ({"train": {"unfreeze": {"layer": 2}}}, "did you mean 'layers'"),
        ({"train": {"unfreeze": {"layers": 0}}}, "layers"),
        ({"train": {"unfreeze": {}, "freeze": ["image"]}}, "train.freeze"),
        ({"train": {"unfreeze": {}, "freeze": ["image.encoder.*"]}}, "train.freeze"),
        ({"train": {"soup": 2}, "split": {"validation": 0.0}}, "averaging the best epochs"),
    ],
)
def test_what_cannot_be_done_is_told_before_the_work(settings, message, table, folder):
    given = {
        "encoders": {"image": {"name": "pretrained_image", "model": str(folder)}}, "train": {"unfreeze": {}},
    } | settings  # fmt: skip
    with pytest.raises(ConfigError, match=message):
        sensorium.fit(table, "label", progress=False, **given)


def test_compare_does_not_unfreeze(table):
    with pytest.raises(ConfigError, match="use fit"):
        sensorium.compare(table, "label", train={"unfreeze": {}}, progress=False)


@pytest.mark.parametrize(
    ("value", "interval", "words"),
    [
        (0.05, (0.01, 0.09), "fine-tuning the encoders pays off: +5.0 points accuracy, 95% interval 1.0 to 9.0"),
        (0.02, (-0.01, 0.05), "may pay off, but the interval includes 0"),
        (
            0.0,
            (-0.01, 0.01),
            "does not pay off (+0.0 points accuracy, 95% interval -1.0 to 1.0); the frozen",
        ),
        (float("nan"), (float("nan"), float("nan")), "accuracy is not defined on the validation rows"),
    ],
)
def test_one_sentence_says_whether_it_paid(value, interval, words):
    found = TuningRecord(kept="tuned", difference=Difference("accuracy", value, interval, 0.1))
    assert words in tuning_sentence(found)


@pytest.mark.slow
def test_the_card_of_a_tuned_model_tells_of_the_stages_before(table, folder):
    model = sensorium.fit(
        table, "label", encoders={"image": {"name": "pretrained_image", "model": str(folder)}}, epochs=2,
        split={"validation": 0.3}, progress=False,
        train={
            "unfreeze": {"epochs": 4, "layers": "all", "learning_rate_scale": 0.2}, "metric": "log_loss",
            "imbalance": "auto",
            "pretrain": {"techniques": ["masked"], "epochs": 1},
        },
    )  # fmt: skip
    assert model.card["tuning"]["kept"] == "tuned"
    assert len(model.card["pretraining"]["epochs"]) == 1
    assert model.card["imbalance"]["results"][0]["name"] == "plain"
