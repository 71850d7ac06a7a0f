"""Infinite numbers are missing: that is said by `inspect` and before training, and rows are counted without them."""

import math

import sensorium

ROWS = 120


def cells(spelt):
    values = [math.inf if row % 3 == 0 else row / 7 for row in range(ROWS)]
    return [f"{value:.3f}" if spelt else value for value in values]


def test_infinite_labels_of_a_file_are_told_and_not_counted(tmp_path, capsys):
    table = tmp_path / "t.csv"
    lines = [f"{row % 9}.5,{cell}" for row, cell in enumerate(cells(True))]
    table.write_text("\n".join(["x,y", *lines]) + "\n")
    told = "40 of 120 labels ('inf') are read as missing"
    assert told in sensorium.inspect(table, "y").target["caution"]
    model = sensorium.fit(table, "y", epochs=1)
    said = capsys.readouterr().err
    assert said.count(told) == 1
    assert sum(model.card["rows"].values()) == 80
    assert [notice["reason"] for notice in model.card["notices"]] == [told]


def test_infinite_labels_are_told_and_not_counted():
    table = {"x": [row % 9 + 0.5 for row in range(ROWS)], "y": cells(False)}
    told = "40 of 120 labels are infinite and are read as missing"
    assert told in sensorium.inspect(table, "y").target["caution"]
    model = sensorium.fit(table, "y", epochs=1, progress=False)
    assert sum(model.card["rows"].values()) == 80
    assert [notice["reason"] for notice in model.card["notices"]] == [told]


def test_infinite_cells_of_a_feature_are_told():
    table = {"x": cells(False), "y": ["a", "b"] * (ROWS // 2)}
    (column,) = [column for column in sensorium.inspect(table, "y").columns if column.name == "x"]
    assert "are infinite and are read as missing" in column.caution
    assert "inf" not in column.reason
    model = sensorium.fit(table, "y", epochs=1, progress=False)
    assert any("infinite" in notice["reason"] for notice in model.card["notices"])
