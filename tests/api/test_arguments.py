"""Arguments of a wrong type are refused before anything is read or written."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import sensorium
from sensorium.api import gather_config
from sensorium.config import (
    CONFIG,
    COUNT,
    COUNT_OR_SEEDS,
    ENCODERS,
    FLAG,
    NAMES,
    OPTIONAL_PATH,
    PATH,
    SEED,
    TARGET,
    TIME,
    as_plain,
    check_arguments,
)
from sensorium.errors import ConfigError, TableError

pytestmark = pytest.mark.unit

MISSING = "no_such_table.csv"


class Place:
    """A path that is no pathlib.Path."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


NO_PATHS = ["", "a\0b", "a\ud800", "x" * 5000, b"run", 5, Place(b"run"), Place(5)]


@pytest.mark.parametrize("path", NO_PATHS, ids=range(len(NO_PATHS)))
def test_paths_that_no_file_system_accepts(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for train, names in ((sensorium.fit, ["out", "start", "config"]), (sensorium.compare, ["out", "config"])):
        for name in names:
            with pytest.raises(ConfigError, match="path") as caught:
                train(MISSING, "y", **{name: path})
            assert caught.value.place == name
    with pytest.raises(ConfigError, match="path cannot be"):
        sensorium.load(path)
    if not isinstance(path, bytes | int):
        with pytest.raises(TableError, match="the table cannot be") as caught:
            sensorium.fit(path, "y", out="run")
        assert caught.value.place == "table"
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("path", ["", "a\0b", "a\ud800", "x" * 5000], ids=range(4))
@pytest.mark.parametrize("setting", ["train.teacher", "prepare.store"])
def test_settings_that_no_file_system_accepts(setting, path):
    group, name = setting.split(".")
    with pytest.raises(ConfigError, match=f"setting {setting} cannot be") as caught:
        sensorium.fit(MISSING, "y", config={group: {name: path}})
    assert caught.value.rule == PATH.rule


@pytest.mark.parametrize(
    ("argument", "value", "rule"),
    [
        ("out", 5, "a path"),
        ("out", b"run", "a path"),
        ("start", 5, "a path"),
        ("resume", "no", "True or False"),
        ("overwrite", 2, "True or False"),
        ("track", 5, "a list of names"),
        ("track", [5], "a list of names"),
        ("budget", [], "a time such as"),
        ("budget", True, "a time such as"),
        ("target", 5, "a list of columns"),
        ("target", np.array(5), "a list of columns"),
        ("target", ["y", 5], "a list of columns"),
        ("config", [1], "a mapping, or the path"),
        ("encoders", 5, "a mapping"),
    ],
)
def test_fit(argument, value, rule):
    with pytest.raises(ConfigError, match=rule) as caught:
        sensorium.fit(MISSING, **{"target": "y", argument: value})
    assert caught.value.place == argument


def test_encoders_are_checked_before_a_model_is_continued():
    with pytest.raises(ConfigError, match="encoders cannot be 5"):
        sensorium.fit(MISSING, "y", start="no such model", encoders=5)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *[("out", 5), ("fusions", 5), ("baselines", [5]), ("workers", "2"), ("workers", 0)],
        *[("seeds", None), ("seeds", []), ("seeds", [1.5]), ("seeds", [-1]), ("seeds", 0)],
        *[("seeds", 10**9), ("seeds", range(10**9)), ("seeds", np.arange(2.0)), ("config", 5), ("encoders", [1])],
    ],
)
def test_compare(argument, value):
    with pytest.raises(ConfigError) as caught:
        sensorium.compare(MISSING, "y", **{argument: value})
    assert caught.value.place == argument


@pytest.mark.parametrize(
    ("argument", "value"),
    [("path", None), ("config", [1]), ("config", "a.yaml"), ("encoders", 5), ("device", 5)],
)
def test_load(argument, value):
    with pytest.raises(ConfigError, match=f"{argument} cannot be") as caught:
        sensorium.load(**{"path": "no such model", argument: value})
    assert caught.value.place == argument


def test_load_takes_modules_only():
    with pytest.raises(ConfigError, match=r"a torch.nn.Module"):
        sensorium.load("no such model", encoders={"text": "bilstm"})


@pytest.mark.parametrize(
    ("argument", "value"),
    [("target", 5), ("config", [1]), ("config", "a\0b"), ("every", "no"), ("progress", 2)],
)
def test_inspect(argument, value):
    with pytest.raises(ConfigError, match=f"{argument} cannot be") as caught:
        sensorium.inspect(MISSING, **{argument: value})
    assert caught.value.place == argument


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (PATH, ["run", Path("run")]),
        (OPTIONAL_PATH, [None, "run"]),
        (FLAG, [True, np.True_]),
        (NAMES, [None, "gated", ["gated"], ("gated",), []]),
        (COUNT, [1, np.int64(2)]),
        (COUNT_OR_SEEDS, [3, 1000, [0, 7], range(2), np.arange(2), [*np.arange(2)], np.int64(2)]),
        (TARGET, [None, "y", ["y", "z"], ("y",), {"y"}, np.array(["y", "z"]), np.str_("y")]),
        (CONFIG, [None, {}, "a.yaml", Path("a.yaml")]),
        (ENCODERS, [None, {}]),
        (SEED, [0, np.int64(2)]),
        (TIME, [None, "90s", 90, 1.5, np.float64(2)]),
    ],
)
def test_right_types_pass(kind, values):
    check_arguments(kind, **{f"value{place}": value for place, value in enumerate(values)})


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"epochs": 2, "train": {"epochs": 3}}, "train.epochs"),
        ({"learning_rate": 0.1, "train": {"learning_rate": 0.001}}, "train.learning_rate"),
        ({"split_column": "a", "split": {"column": "b"}}, "split.column"),
    ],
)
def test_one_setting_has_one_value(settings, place):
    with pytest.raises(ConfigError, match="both set") as caught:
        sensorium.fit(MISSING, "y", **settings)
    assert caught.value.place == place


def test_arguments_override_the_configuration():
    config, _ = gather_config(
        "y", {"train": {"epochs": 3}, "split": {"column": "a"}}, {"epochs": 2, "split_column": "b"}
    )
    assert (config.train.epochs, config.split.column) == (2, "b")


def test_a_value_that_is_given_twice_alike_is_no_fault():
    config, _ = gather_config("y", None, {"epochs": 2, "train": {"epochs": 2}})
    assert config.train.epochs == 2


@pytest.mark.parametrize("seeds", [pd.Index([0, 7]), torch.tensor([0, 7]), np.array([0, 7])])
def test_numbers_of_other_libraries_are_seeds(seeds):
    check_arguments(COUNT_OR_SEEDS, seeds=seeds)
    assert as_plain(seeds) == [0, 7]


def test_a_path_object_is_a_location(tmp_path):
    config, _ = gather_config("y", {"prepare": {"store": tmp_path}, "train": {"teacher": tmp_path}}, {})
    assert (config.prepare.store, config.train.teacher) == (str(tmp_path), str(tmp_path))
