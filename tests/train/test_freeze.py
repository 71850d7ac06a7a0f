"""What is frozen stays as it is, to the bit, statistics of normalisation included."""

import pytest
import torch

import sensorium
from sensorium.errors import ConfigError


def go_on(table, run, freeze, **settings):
    return sensorium.fit(table, start=run, epochs=1, train={"freeze": freeze}, progress=False, **settings)


def changed(before, after):
    """Names of weights and statistics that differ; the towers' by the towers' names."""
    towers = {f"towers.{place}": tower.name for place, tower in enumerate(before.fitted.network.every_tower)}
    old, new = (model.fitted.network.state_dict() for model in (before, after))
    found = {name for name in old if not torch.equal(old[name], new[name])}
    return {towers.get(".".join(name.split(".")[:2]), name.partition(".")[0]) for name in found}, found


@pytest.fixture(scope="module")
def before(run):
    return sensorium.load(run)


def test_without_it_everything_moves(made, run, before):
    parts, names = changed(before, go_on(made, run, []))
    assert parts == {"image", "audio", "text", "tabular", "fusion", "head"}
    assert any("running_mean" in name for name in names)


def test_a_frozen_tower_keeps_weights_and_statistics(made, run, before):
    parts, names = changed(before, go_on(made, run, ["image", "audio"]))
    assert parts == {"text", "tabular", "fusion", "head"}
    assert not [name for name in names if "running_" in name]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("freeze", "parts"),
    [
        (["image", "audio", "text", "tabular"], {"fusion", "head"}),
        (["fusion", "head", "t*"], {"image", "audio"}),
        pytest.param("head", {"image", "audio", "text", "tabular", "fusion"}, marks=pytest.mark.slow),
    ],
)
def test_parts_and_globs(freeze, parts, made, run, before):
    assert changed(before, go_on(made, run, freeze))[0] == parts


def test_a_glob_of_parameters(made, run, before):
    _, names = changed(before, go_on(made, run, ["*.bias", "audio.encoder.*"]))
    assert not [name for name in names if name.endswith("bias")]
    assert [name for name in names if "embed" in name]


def test_a_layer_of_which_something_learns_keeps_its_mode(made, run, before):
    """Of batch normalisation with frozen offsets the gains learn, by the statistics of the batch."""
    _, names = changed(before, go_on(made, run, ["image.*.bias"]))
    assert [name for name in names if "running_mean" in name]


def test_a_frozen_tower_is_that_of_its_seed_in_a_plain_fit(tabular):
    one, other = (
        sensorium.fit(tabular, "label", train={"freeze": ["text"], "epochs": epochs}, progress=False)
        for epochs in (1, 3)
    )
    assert "text" not in changed(one, other)[0]


@pytest.mark.parametrize(
    ("freeze", "message"),
    [
        (["imge"], "did you mean 'image'"),
        (["hed", "fusoin"], "2 faults"),
        (["text.encoder.embd.*"], r"no part of the model matches"),
        (["*"], "nothing is left to train"),
        ({"image": 1}, "train.freeze"),
    ],
)
def test_what_names_nothing_is_refused(freeze, message, made, run):
    with pytest.raises(ConfigError, match=message):
        go_on(made, run, freeze)


def test_a_fusion_of_decisions_has_no_head_to_freeze(tabular):
    with pytest.raises(ConfigError, match="'head'"):
        sensorium.fit(tabular, "label", fusion="late", train={"freeze": ["head"]}, progress=False)


@pytest.mark.slow
def test_compare_freezes_in_each_model_what_it_has(tabular):
    train = {"freeze": ["text"], "epochs": 1}
    found = sensorium.compare(tabular, "label", fusions=["concat"], baselines=[], train=train, progress=False)
    assert [result.name for result in found.results] == ["tabular", "text", "concat"]
