"""An old name of a setting, an option, a member or a flag is an error that tells the new one."""

import fnmatch
import inspect
import sys

import pytest
from pydantic import PositiveFloat

import sensorium
from sensorium.cli._main import main, make_app
from sensorium.config import Config, check_options, list_settings, parse_assignments
from sensorium.errors import ConfigError, SensoriumError, UnknownNameError
from sensorium.registry import KINDS, augmentations, commands, encoders, fusions, techniques
from sensorium.registry.renames import FLAG, KIND, OPTION, RENAMES, SETTING

SETTINGS = [rename for rename in RENAMES if rename.kind == SETTING]


@pytest.mark.parametrize("rename", SETTINGS, ids=lambda rename: rename.old)
def test_an_old_setting_names_the_new_one(rename):
    with pytest.raises(ConfigError, match=f"{rename.old} was renamed {rename.new}") as caught:
        Config.gather(parse_assignments([f"{rename.old}=1"]))
    assert caught.value.place == rename.old
    assert f"--set {rename.new}=1" in caught.value.cure
    assert rename.new in [setting.name for setting in list_settings()]
    assert rename.old not in [setting.name for setting in list_settings()]


def test_the_cure_of_an_old_setting_can_be_copied():
    rows = {"x": [1, 2], "y": ["a", "b"]}
    with pytest.raises(ConfigError) as caught:
        sensorium.fit(rows, "y", train={"balance": "auto"}, progress=False)
    assert caught.value.cure == "--set train.imbalance=auto (Python: train={'imbalance': 'auto'})"
    assert Config.gather(parse_assignments(["train.imbalance=auto"])).train.imbalance == "auto"


def test_the_old_name_of_a_setting_alone_is_enough():
    with pytest.raises(ConfigError, match=r"train\.balance was renamed train\.imbalance"):
        Config.gather({"balance": "auto"})


def test_old_names_are_reported_with_other_faults():
    with pytest.raises(ConfigError) as caught:
        Config.gather({"train": {"balance": "auto", "epochs": -1}, "table": {"query_seconds": 3}})
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("registry", "old", "new"),
    [
        (fusions, "mixture", "mixture_of_experts"),
        (fusions, "dynamic", "dynamic_routing"),
        (techniques, "doctor", "modality_imbalance"),
    ],
)
def test_an_old_member_names_the_new_one(registry, old, new):
    with pytest.raises(UnknownNameError, match=f"was renamed '{new}'") as caught:
        registry.load(old)
    assert (caught.value.place, caught.value.cure) == (f"{registry.kind} {old}", f"write {new!r}")
    assert registry.load(new)


@pytest.mark.parametrize("rename", [r for r in RENAMES if r.kind == OPTION], ids=lambda r: f"{r.owner} {r.old}")
def test_an_old_option_names_the_new_one(rename):
    kind, _, pattern = rename.owner.partition(" ")
    registry = KINDS[kind]
    for name in fnmatch.filter(registry.names(), pattern):
        taker = registry.taker(name)
        with pytest.raises(ConfigError, match=f"'{rename.old}' was renamed '{rename.new}'") as caught:
            check_options(taker, {rename.old: 1}, "place")
        assert caught.value.cure == f"write {rename.new!r} instead of {rename.old!r}"
        assert rename.new in [option.name for option in registry.options(name)]


def test_an_option_of_another_package_keeps_its_name():
    """An old name means nothing where the name is in use."""

    def mine(*, chance: PositiveFloat = 1.0):
        return chance

    assert check_options(mine, {"chance": 0.5}, "place") == {"chance": 0.5}
    with pytest.raises(ConfigError, match="unknown option 'rate'"):
        check_options(encoders.load("gru"), {"rate": 1}, "place")


def test_old_names_of_members_are_not_in_use():
    kinds = {rename.kind for rename in RENAMES} - {SETTING, OPTION, FLAG, KIND}
    for rename in (rename for rename in RENAMES if rename.kind in kinds):
        assert rename.old not in KINDS[rename.kind].entries and rename.new in KINDS[rename.kind].entries


@pytest.fixture
def failing(monkeypatch, capsys):
    """failing("fit", "--doctor") → what the command prints to stderr before it ends with exit code 1."""

    def failing(*arguments):
        monkeypatch.setattr(sys, "argv", ["sensorium", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 1
        return capsys.readouterr().err

    return failing


def test_an_old_flag_names_the_new_one(failing):
    said = failing("fit", "films.csv", "--target", "genre", "--doctor")
    assert said.startswith("error: --doctor was renamed --check-imbalance\n")
    assert "check_imbalance" in inspect.signature(commands.load("fit")).parameters


def test_old_flags_and_settings_of_a_command_are_reported_together(failing):
    said = failing("fit", "films.csv", "--target", "genre", "--doctor", "--set", "train.balance=auto")
    assert "--doctor was renamed --check-imbalance" in said
    assert "train.balance was renamed train.imbalance" in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["table sources"], "the kind 'table sources' was renamed 'sources'"),
        (["fusions", "mixture"], "the fusion 'mixture' was renamed 'mixture_of_experts'"),
        (["settings", "train.balance"], "the setting train.balance was renamed train.imbalance"),
    ],
)
def test_list_names_the_new_name(arguments, told):
    from typer.testing import CliRunner

    result = CliRunner().invoke(make_app(), ["list", *arguments])
    assert isinstance(result.exception, SensoriumError)
    assert str(result.exception).startswith(told)


def test_an_augmentation_has_its_new_option():
    assert "probability" in [option.name for option in augmentations.options("flip")]
