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
    assert {tower.name: tower.options.get("dropout") for tower in alone.fitted.blueprint.towers}["b"] == 0.5
    shared = fit(rows, encoders={"tabular": {"dropout": 0.5}})
    assert {tower.name: tower.options.get("dropout") for tower in shared.fitted.blueprint.towers}["tabular"] == 0.5
    named = fit(rows, encoders={"b": {"dropout": 0.5}}, towers={"mine": ["b"]})  # a tower of this column alone
    assert {tower.name: tower.options.get("dropout") for tower in named.fitted.blueprint.towers}["mine"] == 0.5


def test_an_encoder_of_a_modality_counts_wherever_the_modality_stands_in_the_tower(rows):
    for kind in ("number", "category"):
        model = fit(rows, encoders={kind: {"dropout": 0.5}})
        assert [t.options["dropout"] for t in model.fitted.blueprint.towers if t.name == "tabular"] == [0.5]
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


@pytest.mark.parametrize(
    ("settings", "finding", "place"),
    [
        ({"towers": {"t": []}}, "tower 't' has no columns", "towers.t"),
        ({"towers": {"": ["a"]}}, "a tower has no name", "towers"),
        ({"towers": {"a": ["b"]}}, "the name 'a' is taken by column 'a'", "towers.a"),
        ({"towers": {"note": ["a"]}}, "the name 'note' is taken by column 'note'", "towers.note"),
        ({"towers": {"tabular": ["a"]}}, "the name 'tabular' is taken by the tower of 'b'", "towers.tabular"),
        ({"towers": {"t": ["a", "a"]}}, "tower 't' lists column 'a' twice", "towers.t"),
        ({"towers": {"a": ["b"], "b": ["a"]}}, "tower 'a' has the name of a column of another tower", "towers.a"),
        ({"towers": {"t": ["a", "y"]}}, "column 'y' of tower 't' is the target", "towers.t"),
        ({"towers": {"t": ["a", "b"]}, "exclude": ["b"]}, "column 'b' of tower 't' is excluded", "towers.t"),
    ],
)
def test_a_tower_that_would_not_be_built_as_it_is_set_is_an_error(rows, settings, finding, place):
    with pytest.raises(ConfigError, match=finding) as caught:
        fit(rows, **settings)
    first = caught.value.faults[0] if caught.value.faults else caught.value
    assert first.place == place and first.cure


def test_a_tower_may_have_the_name_of_one_of_its_columns_and_of_all_that_share_one(rows):
    for towers in ({"a": ["a", "b"]}, {"tabular": ["a", "b"]}, {"tabular": ["a"], "mine": ["b"]}):
        model = fit(rows, towers=towers)
        assert {t.name: t.columns for t in model.fitted.blueprint.towers} == towers | {"note": ["note"]}


def test_several_wrong_towers_are_reported_together(rows):
    with pytest.raises(ConfigError) as caught:
        fit(rows, towers={"t": [], "a": ["b"]})
    assert [fault.place for fault in caught.value.faults] == ["towers.t", "towers.a"]
