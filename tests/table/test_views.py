"""A view reads the cells of another column; a name with a dot alone is a column of its own, and may be missing."""

import sys

import numpy as np
import pytest

import sensorium
from sensorium.artifact.format import guess_views
from sensorium.errors import SchemaError
from sensorium.table import open_table

ROWS = 60
RANDOM = np.random.default_rng(0)
LABELS = ["yes", "no"] * (ROWS // 2)


@pytest.fixture(scope="module")
def model():
    return sensorium.fit(
        {"price": RANDOM.normal(100, 10, ROWS), "price.1": np.arange(ROWS) % 7 / 3, "label": LABELS},
        "label",
        epochs=1,
        progress=False,
    )


def told(found):
    return [(problem.column, problem.reason) for problem in found.problems]


def test_a_missing_column_is_not_read_from_another_one(model):
    rows = {"price": [100.0, 250.0]}
    without = model.predictions(rows)
    assert told(without) == [("price.1", "the table has no such column: it is missing in every row")]
    gaps = model.predictions({**rows, "price.1": [None, None]})
    assert np.array_equal(without.scores, gaps.scores)
    assert not told(gaps)


def test_a_saved_model_does_not_either(model, tmp_path):
    model.save(tmp_path / "model")
    loaded = sensorium.load(tmp_path / "model")
    assert told(loaded.predictions({"price": [100.0]})) == [
        ("price.1", "the table has no such column: it is missing in every row")
    ]


def test_a_target_is_not_read_from_another_column():
    given = {"x": RANDOM.normal(size=ROWS), "grade.1": LABELS}
    model = sensorium.fit(given, "grade.1", epochs=1, progress=False)
    with pytest.raises(SchemaError, match=r"no column 'grade\.1'"):
        model.evaluate({"x": given["x"], "grade": LABELS})


@pytest.mark.parametrize(
    "config",
    [
        {"columns": ["a.b"]},
        {"exclude": ["a.b"]},
        {"towers": {"t": ["a.b"]}},
        {"modalities": {"a.b": "number"}},
        {"split": {"group": "a.b"}},
        {"split": {"time": "a.b"}},
        {"split": {"column": "a.b"}},
    ],
)
def test_settings_that_name_a_missing_column_are_told(config):
    with pytest.raises(SchemaError, match=r"no column 'a\.b'"):
        sensorium.inspect({"a": RANDOM.normal(size=ROWS), "y": LABELS}, "y", config=config)


def test_a_table_has_the_views_that_it_was_given():
    table = open_table({"a": [1, 2], "a.b": [3, 4]})
    assert "a.c" not in table and "a.b.c" not in table
    with pytest.raises(SchemaError, match=r"no column 'a\.c'"):
        table.column("a.c")
    seen = table.with_views({"a.c": "a", "a.b": "a", "z.c": "z"})
    assert seen.column("a.c").data.to_pylist() == [1, 2] and seen.column("a.c").is_view
    assert seen.column("a.b").data.to_pylist() == [3, 4], "a column of that name goes before"
    assert "z.c" not in seen
    assert "a.c" in seen.take([1])


def test_models_without_a_list_of_views_are_understood():
    kinds = {"clip": "video", "clip.sound": "audio", "scan.KVP": "scan_tag", "report.pages": "pages"}
    own = {"price": "number", "price.1": "number", "clip.1": "video", "a.b": "audio", "report": "document"}
    assert guess_views({**own, **kinds}) == {"clip.sound": "clip", "scan.KVP": "scan", "report.pages": "report"}


def calls_to_find(columns):
    """How many functions are called to find 50 of the columns."""
    table, count = open_table({f"g{i}": [1.5, 2.5] for i in range(columns)}), 0

    def note(frame, event, _):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    found = [table.column(f"g{i}") for i in range(50)]
    sys.setprofile(None)
    assert all(len(column) == 2 for column in found)
    return count


@pytest.mark.unit
def test_the_work_of_finding_a_column_does_not_grow_with_the_others():
    calls_to_find(50)  # what is looked up once and kept
    assert calls_to_find(2000) == calls_to_find(50)
