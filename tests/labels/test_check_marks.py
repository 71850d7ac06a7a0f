"""Columns of check marks, one value or empty: the empty cells tell, and columns that tell nothing are reported."""

import numpy as np
import pytest

import sensorium
from sensorium.modalities.category import Category
from sensorium.prepare import prepare_columns
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.testing import check_modality

ROWS = 300
QUICK = {"train": {"epochs": 15}}


def marked(mark, share=0.5, rows=ROWS, seed=0):
    """Cells with a mark or none, and the label that follows from them."""
    drawn = np.random.default_rng(seed).random(rows) < share
    return [mark if there else None for there in drawn], ["yes" if there else "no" for there in drawn]


def noise(rows=ROWS):
    return np.random.default_rng(1).normal(size=rows).tolist()


def texts(rows=ROWS):
    words = np.random.default_rng(2).choice(["red", "blue", "green", "tall", "short", "wide", "old", "new"], (rows, 7))
    return [" ".join(row) + f" {place * 37 % 1009}" for place, row in enumerate(words)]


@pytest.mark.parametrize("mark", ["x", "ja", 1, 1.0, True])
def test_check_marks_are_a_category_and_said_so(mark):
    column = sensorium.inspect({"Klima": marked(mark)[0], "a": noise()}).columns[0]
    assert column.modality == "category"
    assert "check marks" in column.reason and "empty" in column.reason
    assert not column.caution


@pytest.mark.parametrize(
    ("beside", "share"),
    [
        ("nothing", 0.9),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (("number", 0.1), ("number", 0.5), ("text", 0.9), ("nothing", 0.1))
        ),
    ],
)
def test_a_label_that_is_the_check_mark_is_learnt(beside, share):
    others = {"number": {"a": noise()}, "text": {"a": texts()}, "nothing": {}}[beside]
    cells, labels = marked("x", share)
    model = sensorium.fit({"Klima": cells, **others, "y": labels}, "y", config={"train": {"epochs": 25}})
    assert model.columns["Klima"] == "category"
    assert model.test.metrics["accuracy"] >= 0.98
    new, wanted = marked("x", 0.5, 60, seed=5)
    more = {name: values[:60] for name, values in others.items()}
    assert (model.predict({"Klima": new, **more}) == np.array(wanted)).mean() >= 0.98


def test_a_table_without_the_column_has_no_empty_check_marks():
    cells, labels = marked("x")
    model = sensorium.fit({"Klima": cells, "a": noise(), "y": labels}, "y", config=QUICK)
    learnt = model.fitted.learnt
    absent = prepare_columns(open_table({"a": [0.1, 0.2]}), learnt, Silent()).columns["Klima"]
    empty = prepare_columns(open_table({"a": [0.1, 0.2], "Klima": [None, "x"]}), learnt, Silent()).columns["Klima"]
    assert absent.present.tolist() == [False, False]
    assert empty.present.tolist() == [True, True]
    assert empty.values[0] != empty.values[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["x"] * ROWS, "always 'x'"),
        pytest.param(["x"] * (ROWS - 2) + [None] * 2, "always 'x' but for 2 empty cells", marks=pytest.mark.slow),
        (["x"] * 2 + [None] * (ROWS - 2), "always 'x' but for 298 empty cells"),
    ],
)
def test_a_column_that_tells_nothing_is_reported_once_with_the_flag_that_keeps_it(cells, words):
    table = {"my flag": cells, "a": noise(), "y": ["yes", "no"] * (ROWS // 2)}
    model = sensorium.fit(table, "y", config=QUICK)
    told = [notice for notice in model.card["notices"] if notice["column"] == "my flag"]
    assert [(notice["reason"], notice["cure"]) for notice in told] == [
        (f"left out: {words}", "to use it: --modality 'my flag=category'")
    ]
    kept = sensorium.inspect(table, "y", config={"modalities": {"my flag": "category"}})
    assert kept.columns[0].modality == "category"


def test_a_column_of_two_values_keeps_its_empty_cells_missing():
    cells = [["a", "b", None][place % 3] for place in range(30)]
    column = open_table({"c": cells}).column("c")
    assert Category.learn(column).encode(column).present.tolist() == [cell is not None for cell in cells]
    check_modality("category", column)
