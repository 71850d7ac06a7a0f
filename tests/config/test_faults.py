"""A wrong value of a setting or an option is an error that says what it must be, in words."""

from typing import Literal

import pytest
from pydantic import PositiveInt

import sensorium
from sensorium.config import Config, Odd, Share, Sizes, Words, check_options
from sensorium.errors import ConfigError, SensoriumError

pytestmark = pytest.mark.unit

WRONG = [
    ({"width": "abc"}, "width", "an integer, at least 1, at most 1000000"),
    ({"width": 1.5}, "width", "an integer, at least 1, at most 1000000"),
    ({"train": {"epochs": 0}}, "train.epochs", "an integer, at least 1, or null"),
    ({"seed": -1}, "seed", "an integer, at least 0, at most 9223372036854775807"),
    ({"learning_rate": "fast"}, "train.learning_rate", "a number, greater than 0"),
    ({"learning_rate": float("inf")}, "train.learning_rate", "a finite number, greater than 0"),
    ({"split": {"test": 2}}, "split.test", "a number, at least 0, below 1"),
    ({"compile": "maybe"}, "train.compile", "true or false"),
    ({"train": {"optimizer": "lion"}}, "train.optimizer", "one of adam, adamw, sgd"),
    ({"table": {"decimal": "x"}}, "table.decimal", 'one of ".", ",", or null'),
    ({"unfreeze": {"layers": "x"}}, "train.unfreeze.layers", "an integer, at least 1, or all"),
    ({"device": 3}, "device", "text"),
    ({"exclude": ["a", 3]}, "exclude", "a list of texts"),
    ({"table": {"lists": {"place": ["lat"]}}}, "table.lists.place", "a list of at least 2 texts"),
    ({"table": {"series": {"s": 5}}}, "table.series.s", "a list of one or more texts"),
    ({"split": {"span": ["a"]}}, "split.span", "a list of 2 texts or null"),
    ({"fusion": 5}, "fusion", "a name, or a mapping of a name and options"),
    ({"modalities": {"age": 5}}, "modalities.age", "a name, or a mapping of a name and options"),
    ({"train": 5}, "train", "a mapping of settings"),
    ({"train": {"techniques": 5}}, "train.techniques", "a list of names, or names with their options"),
]


@pytest.mark.parametrize(("given", "place", "rule"), WRONG, ids=[f"{place}: {rule}" for _, place, rule in WRONG])
def test_a_wrong_setting_says_what_it_must_be(given, place, rule):
    with pytest.raises(ConfigError) as caught:
        Config.gather(given)
    assert (caught.value.place, caught.value.rule) == (place, rule)
    assert caught.value.finding.startswith(f"setting {place} cannot be ")


def test_a_missing_setting_of_a_group_is_called_missing():
    with pytest.raises(ConfigError) as caught:
        Config.gather({"table": {"windows": {"time": "t", "values": ["v"], "target": "v"}}})
    assert (caught.value.finding, caught.value.rule) == (
        "setting table.windows.length is missing",
        "an integer, at least 1",
    )


def member(*, size: PositiveInt = 1, share: Share = 1.0, kernel: Odd = 3, sizes: Sizes = (1,), words: Words = (),
           flag: bool = False, kind: Literal["a", "b"] = "a"):  # fmt: skip
    return size, share, kernel, sizes, words, flag, kind


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("size", "many", "an integer, at least 1"),
        ("share", 2, "a number, greater than 0, at most 1"),
        ("kernel", 4, "an odd number, so that a filter has a middle"),
        ("sizes", [0], "a list of one or more integers, each at least 1"),
        ("words", [None], "a list of texts"),
        ("flag", "perhaps", "true or false"),
        ("kind", "c", "one of a, b"),
    ],
)
def test_a_wrong_option_says_what_it_must_be(option, value, rule):
    with pytest.raises(ConfigError) as caught:
        check_options(member, {option: value}, "place")
    assert caught.value.rule == rule


def test_all_old_names_of_a_call_are_reported_together():
    given = {
        "fusion": "dynamic",
        "modalities": {"image": {"ground": 1}, "photo": {"ground": 2}},
        "encoders": {"text": {"name": "pretrained_text", "rate": 0.1}},
        "augment": {"image": {"flip": {"chance": 0.5}}},
        "train": {"balance": "auto", "techniques": ["doctor"], "epochs": 0},
    }
    with pytest.raises(ConfigError) as caught:
        sensorium.fit({"x": [1, 2], "y": ["a", "b"]}, "y", config=given, progress=False)
    found = {fault.place: fault.cure for fault in caught.value.faults}
    assert found == {
        "fusion": "write 'dynamic_routing'",
        "modalities.image.ground": "write 'background' instead of 'ground'",
        "modalities.photo.ground": "write 'background' instead of 'ground'",
        "encoders.text.rate": "write 'learning_rate_scale' instead of 'rate'",
        "augment.image.flip.chance": "write 'probability' instead of 'chance'",
        "train.techniques.doctor": "write 'modality_imbalance'",
        "train.balance": "--set train.imbalance=auto (Python: train={'imbalance': 'auto'})",
        "train.epochs": "",
    }


def test_an_old_option_with_several_meanings_waits_for_the_modality():
    """`rate` was an option of audio and of video."""
    assert Config.gather({"modalities": {"clip": {"rate": 8}}}).modalities["clip"].options == {"rate": 8}


@pytest.mark.parametrize(("name", "said"), [("doctor", "renamed --check-imbalance"), ("check_imbalance", "the flag")])
def test_a_flag_as_an_argument_names_the_setting(name, said):
    with pytest.raises(SensoriumError) as caught:
        sensorium.fit({"x": [1, 2], "y": ["a", "b"]}, "y", progress=False, **{name: True})
    assert said in caught.value.finding and "train.imbalance" in caught.value.finding
    assert "train={'imbalance': 'auto'}" in caught.value.cure


def test_an_old_flag_as_a_setting_of_a_group_names_the_setting():
    with pytest.raises(ConfigError) as caught:
        Config.gather({"train": {"doctor": "auto"}})
    assert "renamed --check-imbalance" in caught.value.finding and "train.imbalance" in caught.value.cure
