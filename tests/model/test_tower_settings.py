"""Settings of towers and encoders: one without an effect is an error."""

import numpy as np
import pytest

import sensorium
from sensorium.errors import ConfigError, UnknownNameError

ROWS = 80


@pytest.fixture(scope="module")
def rows():
    """A number and a category, which one tower encodes together, and a text."""
    random = np.random.default_rng(0)
    return [
        {
            "a": float(random.normal()),
            "b": ("x y", "z w q")[row % 2],
            "note": f"some words {random.integers(99)} of row {row} and others {random.integers(99)}",
            "y": "pq"[row % 2],
        }
        for row in range(ROWS)
    ]


def fit(rows, **settings):
    return sensorium.fit(rows, "y", epochs=1, width=8, progress=False, **settings)


@pytest.mark.parametrize("encoder", ["gru", "bilstm", "tabular", {"dropout": 0.5}])
@pytest.mark.parametrize("column", ["a", "b"])
def test_an_encoder_of_a_column_that_shares_a_tower_is_an_error(rows, column, encoder):
    with pytest.raises(ConfigError, match=f"column '{column}' cannot have a separate encoder|does not take") as found:
        fit(rows, encoders={column: encoder})
    assert "tower 'tabular'" in str(found.value)
    assert f"towers={{'{column}': ['{column}']}}" in found.value.cure and "encoders.tabular" in found.value.cure


def test_the_cures_work(rows):
    alone = fit(rows, encoders={"b": {"dropout": 0.5}}, towers={"b": ["b"]})
    assert {tower.name: tower.options.get("dropout") for tower in alone.bundle.blueprint.towers}["b"] == 0.5
    shared = fit(rows, encoders={"tabular": {"dropout": 0.5}})
    assert {tower.name: tower.options.get("dropout") for tower in shared.bundle.blueprint.towers}["tabular"] == 0.5
    named = fit(rows, encoders={"b": {"dropout": 0.5}}, towers={"mine": ["b"]})  # a tower of this column alone
    assert {tower.name: tower.options.get("dropout") for tower in named.bundle.blueprint.towers}["mine"] == 0.5


def test_an_encoder_of_a_modality_counts_wherever_the_modality_stands_in_the_tower(rows):
    for kind in ("number", "category"):
        model = fit(rows, encoders={kind: {"dropout": 0.5}})
        assert [t.options["dropout"] for t in model.bundle.blueprint.towers if t.name == "tabular"] == [0.5]
        with pytest.raises(ConfigError, match="does not take"):
            fit(rows, encoders={kind: "gru"})
    with pytest.raises(ConfigError, match=r"encoders\.number is 'tabular', encoders\.category is 'gru'"):
        fit(rows, encoders={"number": "tabular", "category": "gru"})


def test_an_encoder_that_is_not_registered_is_an_error_under_any_key(rows):
    for key in ("b", "note", "tabular", "image"):  # no column is an image
        with pytest.raises(UnknownNameError, match="there is no encoder 'nosuch'"):
            fit(rows, encoders={key: "nosuch"})


def test_a_column_of_two_towers_is_an_error(rows):
    with pytest.raises(ConfigError, match="column 'a' is in two towers: 'one' and 'two'"):
        fit(rows, towers={"one": ["a"], "two": ["a", "b"]})
