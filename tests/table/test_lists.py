"""Columns read together as one of lists: a place of its latitude and longitude, a set of its pictures."""

import numpy as np
import pytest
from PIL import Image

import sensorium
from sensorium.config import TableConfig
from sensorium.errors import ConfigError, SchemaError, TableError
from sensorium.table import open_table


def lists(table, **given):
    return open_table(table, TableConfig(lists=given))


def test_cells_are_lists_in_the_order_that_was_told_and_the_parts_are_gone():
    table = lists(
        {"a": [1, 2, None], "lat": [0.5, None, None], "b": ["x", "y", "z"], "lon": [7, 8, None]}, place=["lon", "lat"]
    )
    assert table.columns == ["a", "place", "b"]
    assert table.column("place").data.to_pylist() == [[7.0, 0.5], [8.0, None], None]
    texts = lists({"front": ["a.png", None], "back": [None, None], "n": [1, 2]}, front=["front", "back"])
    assert texts.columns == ["front", "n"]
    assert texts.column("front").data.to_pylist() == [["a.png", None], None]


def test_many_rows_in_several_pieces(write):
    rows = 3000
    path = write("t.csv", "x,y\n" + "\n".join(f"{row},{row + 0.5}" for row in range(rows)))
    cells = lists(path, both=["x", "y"]).column("both").data.to_pylist()
    assert cells == [[row, row + 0.5] for row in range(rows)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"both": ["x", "yy"]}, "no column 'yy'(.|\n)*'y'"),
        ({"z": ["x", "y"]}, "already has a column 'z'"),
        ({"both": ["x", "z"]}, "types double, string|types int64, string"),
    ],
)
def test_what_cannot_be_joined_is_told(given, message):
    with pytest.raises(TableError, match=message):
        lists({"x": [1, 2], "y": [1.5, 2], "z": ["a", "b"]}, **given)


def test_a_list_has_two_columns_or_more_and_one_of_none_is_told():
    table = {"x": [1.5, 2, 3] * 9, "label": ["a", "b", "c"] * 9}
    with pytest.raises(ConfigError, match="at least 2"):
        sensorium.inspect(table, "label", config={"table": {"lists": {"one": ["x"]}}})
    with pytest.raises(SchemaError, match="no column 'both'"):
        sensorium.inspect(table, "label", config={"table": {"lists": {"both": ["v", "w"]}}})


def test_latitude_and_longitude_are_a_place_in_training_and_after(tmp_path):
    random = np.random.default_rng(0)
    lat, lon = random.uniform(-60, 60, (2, 120)).round(3)
    table = {"lat": lat, "lon": lon, "label": np.where(lat + lon > 0, "north-east", "south-west")}
    config = {"table": {"lists": {"place": ["lat", "lon"]}}}
    model = sensorium.fit(table, "label", config=config, epochs=15, out=tmp_path / "run", progress=False)
    assert model.columns == {"place": "geo"}
    again = sensorium.load(tmp_path / "run")
    assert (again.predict(table) == table["label"]).mean() > 0.9
    assert len(again.predict({"lat": [1.5, None], "lon": [2.5, None]})) == 2


def test_pictures_of_several_columns_are_a_set(tmp_path):
    for grey in (0, 100, 200):
        Image.new("L", (16, 16), grey).save(tmp_path / f"{grey}.png")
    rows = [f"{a}.png,{b},{i}" for i, (a, b) in enumerate([(0, "100.png"), (200, ""), (100, "200.png")] * 8)]
    (tmp_path / "t.csv").write_text("front,back,price\n" + "\n".join(rows))
    found = sensorium.inspect(tmp_path / "t.csv", "price", config={"table": {"lists": {"photos": ["front", "back"]}}})
    assert (found.columns[0].name, found.columns[0].modality) == ("photos", "images")
