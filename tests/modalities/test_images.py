"""Several pictures in one cell: any number of them, in no order, bad ones left out and told."""

import json

import numpy as np
import pytest
from PIL import Image as Pillow

import sensorium
from sensorium.modalities.images import Images
from sensorium.table import open_table


@pytest.fixture
def folder(tmp_path):
    for grey in range(0, 250, 10):
        Pillow.new("RGB", (20, 24), (grey, grey, grey)).save(tmp_path / f"{grey}.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    return tmp_path


def column(cells, folder):
    return open_table({"c": cells, "row": list(range(len(cells)))}, folder=folder).column("c")


def shades(encoded, row):
    return [int(picture.mean()) for picture in encoded.values[row]]


@pytest.mark.parametrize("spell", [list, json.dumps])
def test_a_cell_has_as_many_pictures_as_it_lists(spell, folder):
    cells = column(
        [spell(["10.png", "20.png"]), spell(["30.png"]), None, spell(["40.png", "50.png", "60.png"])], folder
    )
    learnt = Images.learn(cells)
    found = learnt.encode(cells)
    assert found.present.tolist() == [True, True, False, True]
    assert [shades(found, row) for row in range(4)] == [[10, 20], [30], [], [40, 50, 60]]
    assert found.values.values.dtype == np.uint8
    assert (learnt.most, found.problems) == (3, [])


def test_a_picture_that_cannot_be_decoded_is_left_out_and_told(folder):
    cells = column([["10.png", "bad.png", "20.png"], ["bad.png"], [], ["gone.png", "30.png"]], folder)
    found = Images.learn(cells, size=8).encode(cells)
    assert found.present.tolist() == [True, False, False, True]
    assert [shades(found, row) for row in range(4)] == [[10, 20], [], [], [30]]
    assert [problem.row for problem in found.problems] == [0, 1, 3]
    assert all("skipped in its cell" in problem.reason for problem in found.problems)


def test_what_is_no_list_is_missing_and_told(folder):
    cells = column(['["10.png"]', "[10.png", "10.png", '{"a": 1}'], folder)
    found = Images.learn(cells).encode(cells)
    assert found.present.tolist() == [True, False, True, False], "a path alone is a list of one"
    assert [problem.row for problem in found.problems] == [1, 3]
    assert {problem.reason for problem in found.problems} == {"the cell is not a list of images: read as missing"}


def test_more_pictures_than_are_kept_are_cut(folder):
    cells = column([["10.png", "20.png", "30.png"]] * 3, folder)
    assert shades(Images.learn(cells, max_images=2).encode(cells), 0) == [10, 20]


def test_the_order_of_the_pictures_makes_no_difference(folder):
    random = np.random.default_rng(0)
    names = [f"{grey}.png" for grey in range(0, 250, 10)]
    sets = [list(random.choice(names, random.integers(1, 5), replace=False)) for _ in range(60)]
    label = ["dark" if np.mean([int(n[:-4]) for n in cell]) < 120 else "light" for cell in sets]
    table = {"photos": [json.dumps(cell) for cell in sets], "label": label}
    model = sensorium.fit(open_table(table, folder=folder), "label", epochs=3, progress=False)
    assert model.columns == {"photos": "images"}
    turned = {"photos": [json.dumps(cell[::-1]) for cell in sets]}
    assert model.predict_proba(open_table(turned, folder=folder)) == pytest.approx(
        model.predict_proba(open_table(table, folder=folder)), abs=1e-5
    )


def test_lists_of_texts_are_no_pictures(folder):
    assert Images.looks_like(column([["good", "bad"], ["so so"]], folder)) is None
    assert Images.looks_like(column(["[draft]", "[final] text"], folder)) is None
    assert Images.looks_like(column([[1.0, 2.0], [3.0]], folder)) is None
    assert "1.5 per cell" in Images.looks_like(column([["10.png", "20.png"], ["30.png"]], folder)).reason


def test_cells_with_more_pictures_than_are_kept_are_told_once(folder):
    cells = column([["10.png", "20.png", "30.png"], ["10.png"]], folder)
    told = Images.learn(cells, max_images=2).findings("views")
    assert ["1 of 2 cells have more than 2 images" in problem.reason for problem in told] == [True]
    assert Images.learn(cells).findings("views") == []
