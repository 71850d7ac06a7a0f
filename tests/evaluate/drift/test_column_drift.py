"""The figures of a column that a card keeps, counted by hand."""

import io

import numpy as np
import pytest
from PIL import Image

import sensorium
from sensorium.evaluate.drift import measure_column_shift, sketch_columns
from sensorium.evaluate.drift.columns import LOOKED_AT
from sensorium.findings import Problems
from sensorium.modalities import Encoded, Ragged
from sensorium.prepare import Prepared

ROWS = 60


class _Codes:
    def unknown(self):
        return 0


def sketch(values, present, rows=None):
    there = np.asarray(present)
    prepared = Prepared({"c": Encoded(values, there, [])}, Problems())
    return sketch_columns(prepared, {"c": _Codes()}, np.arange(len(there)) if rows is None else rows)["c"]


def test_amounts_have_mean_and_deviation_where_they_are_there():
    values = np.array([[1.0], [0.0], [5.0], [9.0]], np.float32)
    found = sketch(values, [True, False, True, True])
    assert found == pytest.approx({"present": 0.75, "mean": 5.0, "deviation": np.std([1, 5, 9])}, abs=1e-6)
    assert sketch(values, [True, False, True, True], np.array([0, 1])) == {"present": 0.5, "mean": 1, "deviation": 0}


def test_codes_have_a_share_that_is_unknown():
    assert sketch(np.array([0, 3, 0, 1, 0]), [True, True, True, True, False]) == {"present": 0.8, "unknown": 0.5}


def test_cells_of_unequal_length_have_a_length():
    words = Ragged.of([np.array(c, np.int32) for c in ([0, 2, 3], [], [0, 0, 5])], np.empty(0, np.int32))
    assert sketch(words, [True, False, True]) == pytest.approx(
        {"present": 2 / 3, "length": 3, "unknown": 0.5}, abs=1e-5
    )


def test_a_column_with_nothing_in_it_has_no_figures():
    assert sketch(np.zeros((3, 1), np.float32), [False] * 3) == {"present": 0.0}


def test_of_many_cells_some_are_looked_at():
    values = np.arange(50_000, dtype=np.float32)[:, None]
    found = sketch(values, np.ones(50_000, bool))
    assert found["mean"] == pytest.approx(24_999.5, rel=1e-3)
    assert LOOKED_AT == 1000


def test_of_very_large_cells_sixteen_are_looked_at(monkeypatch):
    monkeypatch.setattr("sensorium.evaluate.drift.columns.NUMBERS", 10)
    values = np.repeat(np.arange(31, dtype=np.float32)[:, None], 5, 1)
    found = sketch(values, np.ones(31, bool))
    assert found["deviation"] == pytest.approx(np.std(np.arange(0, 31, 2)), abs=1e-5)


def test_a_shift_is_told_in_the_old_deviations():
    old = {"c": {"present": 1.0, "mean": 2.0, "deviation": 4.0}, "still": {"present": 1.0, "mean": 1, "deviation": 0.0}}
    new = {"c": {"present": 0.5, "mean": 8.0, "deviation": 1.0, "length": 3.0}, "still": old["still"]}
    assert measure_column_shift(old, new) == {
        "c": {"present": [1.0, 0.5], "mean": [2.0, 8.0], "deviation": [4.0, 1.0], "shift": 1.5},
        "still": {"present": [1.0, 1.0], "mean": [1, 1], "deviation": [0.0, 0.0], "shift": None},
    }
    assert measure_column_shift({}, new) == {"c": {}, "still": {}}


def picture(light):
    Image.new("L", (8, 8), light).save(found := io.BytesIO(), "PNG")
    return found.getvalue()


@pytest.fixture(scope="module")
def table():
    return {
        "photo": [picture(40 + row) for row in range(ROWS)],
        "size": [None if row % 4 == 0 else float(row * row) for row in range(ROWS)],
        "label": ["a", "b"] * (ROWS // 2),
    }


@pytest.mark.parametrize("stream", [False, True])
def test_a_fit_keeps_them_of_its_training_rows(table, stream, tmp_path):
    model = sensorium.fit(
        table, "label", epochs=1, out=tmp_path, config={"prepare": {"stream": stream}}, progress=False,
        split={"validation": 0.0, "test": 0.0},
    )  # fmt: skip
    found = model.card["statistics"]
    assert found["size"] == pytest.approx({"present": 0.75, "mean": 0.0, "deviation": 1.0}, abs=1e-5)
    light = np.arange(40, 40 + ROWS)
    seen = {"present": 1.0} if stream else {"present": 1.0, "mean": light.mean(), "deviation": light.std()}
    assert found["photo"] == pytest.approx(seen, abs=1e-4)
    assert sensorium.load(tmp_path).card["statistics"] == found


def test_another_light_is_seen_when_a_model_is_adapted(table):
    model = sensorium.fit(table, "label", epochs=1, progress=False)
    darker = {**table, "photo": [picture(10 + row // 2) for row in range(ROWS)], "size": [None] * ROWS}
    shift = model.adapt(darker).card["moved"]["columns"]
    old = model.card["statistics"]["photo"]
    assert shift["photo"]["mean"] == pytest.approx([old["mean"], 10 + 14.5], abs=0.1)
    assert shift["photo"]["shift"] == pytest.approx((24.5 - old["mean"]) / old["deviation"], abs=0.05)
    assert shift["size"] == {"present": [old_present := model.card["statistics"]["size"]["present"], 0.0]}
    assert old_present > 0.6
