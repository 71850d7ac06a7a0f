"""Arguments of a wrong type are refused before anything is read or written."""

from pathlib import Path

import numpy as np
import pytest

import sensorium
from sensorium.api import gather_config
from sensorium.config import COUNT, COUNT_OR_SEEDS, FLAG, NAMES, OPTIONAL_PATH, PATH, TIME, check_arguments
from sensorium.errors import ConfigError

pytestmark = pytest.mark.unit

MISSING = "no_such_table.csv"


@pytest.mark.parametrize(
    ("argument", "value", "rule"),
    [
        ("out", 5, "a path"),
        ("out", b"run", "a path"),
        ("start", 5, "a path"),
        ("resume", "no", "True or False"),
        ("overwrite", 1, "True or False"),
        ("track", 5, "a list of names"),
        ("track", [5], "a list of names"),
        ("budget", [], "a time such as"),
        ("budget", True, "a time such as"),
    ],
)
def test_fit(argument, value, rule):
    with pytest.raises(ConfigError, match=rule) as caught:
        sensorium.fit(MISSING, "y", **{argument: value})
    assert caught.value.place == argument


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *[("out", 5), ("fusions", 5), ("baselines", [5]), ("workers", "2"), ("workers", 0)],
        *[("seeds", None), ("seeds", []), ("seeds", [1.5]), ("seeds", [-1]), ("seeds", 0)],
    ],
)
def test_compare(argument, value):
    with pytest.raises(ConfigError) as caught:
        sensorium.compare(MISSING, "y", **{argument: value})
    assert caught.value.place == argument


def test_load():
    with pytest.raises(ConfigError, match="path cannot be None"):
        sensorium.load(None)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (PATH, ["run", Path("run")]),
        (OPTIONAL_PATH, [None, "run"]),
        (FLAG, [True, np.True_]),
        (NAMES, [None, "gated", ["gated"], ("gated",), []]),
        (COUNT, [1, np.int64(2)]),
        (COUNT_OR_SEEDS, [3, [0, 7], range(2), np.arange(2), np.int64(2)]),
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
