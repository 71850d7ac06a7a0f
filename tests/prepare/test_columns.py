"""A table's columns become arrays, one cell a row; what could not be read is told with the row of the table."""

import numpy as np
import pytest
from PIL import Image

from sensorium.config import Config
from sensorium.errors import ConfigError, DataError
from sensorium.findings import ColumnPlan
from sensorium.prepare import at_rows, learn_modality, prepare_columns
from sensorium.registry import modalities
from sensorium.runtime.progress import Silent
from sensorium.table import open_table

pytestmark = pytest.mark.unit

ROWS = 100  # more than the 32 files that a thread takes at a time


class Counting(Silent):
    """A reporter that adds up what it is told."""

    def __init__(self):
        self.done, self.total = 0, 0

    def bar(self, title, total, unit):
        self.total += total
        return self

    def advance(self, steps):
        self.done += steps


def learn(table, **kinds):
    return {name: modalities.load(kind).learn(table.column(name)) for name, kind in kinds.items()}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A hundred pictures, each of its own grey; every seventh is no picture, every tenth cell is empty."""
    folder = tmp_path_factory.mktemp("pictures")
    cells = [None if row % 10 == 0 else f"{row}.png" for row in range(ROWS)]
    for row in range(ROWS):
        Image.new("L", (4, 4), row).save(folder / f"{row}.png")
        if row % 7 == 0:
            (folder / f"{row}.png").write_text("no picture")
    return open_table({"image": cells, "number": [row / 2 for row in range(ROWS)]}, folder=folder)


def test_every_file_lands_in_its_row_and_every_fault_is_told_with_it(pictures):
    prepared = prepare_columns(pictures, learn(pictures, image="image", number="number"), Silent())
    image = prepared.columns["image"]
    broken = [row for row in range(ROWS) if row % 7 == 0 and row % 10]
    good = [row for row in range(ROWS) if row % 7 and row % 10]
    assert [(p.row, p.value) for p in prepared.problems] == [(row, f"{row}.png") for row in broken]
    assert np.flatnonzero(image.present).tolist() == good
    assert [int(image.values[row].max()) for row in good] == good
    assert not image.values[~image.present].any()


def test_problems_of_some_rows_are_told_with_the_rows_of_the_whole_table(pictures):
    rows = np.array([91, 3, 7, 50, 14])
    prepared = prepare_columns(pictures.take(rows), learn(pictures, image="image"), Silent())
    assert [p.row for p in prepared.problems] == [0, 2, 4]
    told = at_rows(prepared.problems, rows)
    assert [(p.row, p.value) for p in told] == [(91, "91.png"), (7, "7.png"), (14, "14.png")]
    assert [p.column for p in told] == ["image"] * 3


def test_progress_reaches_its_total(pictures):
    report = Counting()
    prepare_columns(pictures, learn(pictures, image="image", number="number"), report)
    assert report.done == report.total == 2 * ROWS


def test_a_column_that_the_table_lacks_is_missing_in_every_row_and_told_once(pictures):
    learnt = learn(pictures, image="image", number="number")
    prepared = prepare_columns(open_table({"number": [1.0, 2.0, 3.0]}), learnt, Silent())
    assert not prepared.columns["image"].present.any()
    assert len(prepared) == 3
    assert prepared.columns["number"].present.all()
    assert [(p.column, p.row) for p in prepared.problems] == [("image", None)]
    assert "it is missing in every row" in prepared.problems.items[0].reason


def test_a_table_with_none_of_the_columns_is_an_error_that_names_them(pictures):
    with pytest.raises(DataError, match="none of the model's columns") as caught:
        prepare_columns(open_table({"other": [1]}), learn(pictures, image="image", number="number"), Silent())
    assert "image, number" in caught.value.rule


def test_has_any_tells_rows_with_a_value_in_some_column():
    table = open_table({"a": [1.0, None, None], "b": ["x", "y", None]})
    prepared = prepare_columns(table, learn(table, a="number", b="category"), Silent())
    assert prepared.has_any().tolist() == [True, True, False]
    assert prepared.only(["a"]).has_any().tolist() == [True, False, False]


def options(**settings):
    """What a number column learns under some settings."""
    column = open_table({"x": np.arange(100.0)}).column("x")
    config = Config.model_validate({"modalities": settings})
    return len(learn_modality(ColumnPlan("x", "number", ""), column, config).edges) - 1


def test_options_of_the_column_stand_above_those_of_its_modality():
    assert options() == 16
    assert options(number={"bins": 8}) == 8
    assert options(number={"bins": 8}, x={"bins": 4}) == 4


@pytest.mark.parametrize(
    ("setting", "words"),
    [({"bin": 4}, "did you mean 'bins'"), ({"bins": "many"}, "option 'bins' cannot be 'many'")],
)
def test_options_that_a_modality_lacks_or_cannot_take_are_told(setting, words):
    with pytest.raises(ConfigError, match=words) as caught:
        options(x=setting)
    assert "column 'x'" in caught.value.place


def test_cpus_are_counted_once_for_all_columns(monkeypatch):
    """Counting reads files of cgroups, which took most of the time of a prediction with thousands of columns."""
    counted = []
    monkeypatch.setattr("sensorium.prepare.columns.usable_cpus", lambda: counted.append(1) or 1)
    table = open_table({f"c{place}": [1.5, 2.5, 4.0] for place in range(20)})
    learnt = {name: modalities.load("number").learn(table.column(name)) for name in table.columns}
    assert len(prepare_columns(table, learnt, Silent()).columns) == 20
    assert len(counted) == 1
