"""Wide tables: work grows in proportion to the columns, and a hidden column has no influence."""

import sys
import threading

import numpy as np
import pytest

import sensorium
from sensorium.artifact.load import load_fitted
from sensorium.artifact.save import save_fitted
from sensorium.prepare import hash_arrays, prepare_columns
from sensorium.runtime.progress import Silent
from sensorium.table import open_table

ROWS = 60
CHECKS = ("axes.py", "axes_checks.py")


def wide_table(columns, rows=ROWS):
    random = np.random.default_rng(0)
    numbers = {f"x{i}": random.normal(size=rows) for i in range(columns)}
    names = {f"c{i}": np.array(["a", "b", "c"])[random.integers(0, 3, rows)] for i in range(columns)}
    return {**numbers, **names, "label": np.where(numbers["x0"] > 0, "high", "low")}


def fit(table, **settings):
    return sensorium.fit(table, "label", epochs=1, seed=0, progress=False, **settings)


class Calls:
    """Number of Python calls within a `with` block, without those of the checks of axes, which are tests."""

    count = 0

    def __enter__(self):
        sys.setprofile(self._on_event)
        return self

    def __exit__(self, *error):
        sys.setprofile(None)

    def _on_event(self, frame, event, argument):
        self.count += event == "call" and not frame.f_code.co_filename.endswith(CHECKS)


def work(table, fitted, path):
    """Calls of preparing, predicting, saving and loading."""
    table = open_table(table)
    found = {}
    with Calls() as found["prepare"]:
        cells = prepare_columns(table, fitted.learnt, Silent())
    with Calls() as found["predict"]:
        fitted.scores(cells)
    with Calls() as found["save"]:
        save_fitted(fitted, path)
    with Calls() as found["load"]:
        load_fitted(path)
    return {name: calls.count for name, calls in found.items()}


@pytest.mark.slow
def test_work_grows_no_faster_than_the_columns(tmp_path):
    def counted(columns):
        table = wide_table(columns)
        return work(table, fit(table).fitted, tmp_path / str(columns))

    counted(3)  # imports
    small, middle, large = (counted(columns) for columns in (10, 20, 40))
    for name in small:
        first, second = middle[name] - small[name], large[name] - middle[name]
        assert second < 2.05 * first + 20, name  # the second step adds twice as many columns
    assert large["predict"] - small["predict"] < 60 * 5  # no batch looks at single columns
    assert large["save"] - small["save"] < 60 * 150  # json writes a column without calls per value


def test_hidden_column_has_no_influence():
    table = wide_table(4)
    for i in range(4):
        table[f"x{i}"] = np.where(np.arange(ROWS) % 5 == i, np.nan, table[f"x{i}"])
    model = fit(table)
    for hidden in (["x1"], ["c2"], ["x0", "c0", "c3"]):
        empty = {name: [None] * ROWS if name in hidden else cells for name, cells in table.items()}
        absent = {name: cells for name, cells in table.items() if name not in hidden}
        found = np.asarray(model.predict_proba(empty))
        assert np.array_equal(found, np.asarray(model.predict_proba(absent)))
        assert not np.array_equal(found, np.asarray(model.predict_proba(table)))


def test_row_alone_gets_the_prediction_that_it_gets_in_a_table():
    table = wide_table(6)
    model = fit(table)
    together = np.asarray(model.predict_proba(table))
    for row in (0, 17, 59):
        alone = np.asarray(model.predict_proba({name: cells[row : row + 1] for name, cells in table.items()}))
        assert alone[0] == pytest.approx(together[row], abs=1e-6)


def test_column_with_a_tower_of_its_own_leaves_the_others_together():
    table = wide_table(5)
    model = fit(table, towers={"own": ["x2"], "two": ["c1", "x4"]}, encoders={"own": {"numeric": "periodic"}})
    towers = {tower.name: tower for tower in model.fitted.network.every_tower}
    assert set(towers) == {"own", "two", "tabular"} and len(towers["tabular"].columns) == 7
    assert "numbers.frequencies" in dict(towers["own"].encoder.named_parameters())
    empty = {**table, "x2": [None] * ROWS}
    assert not np.array_equal(np.asarray(model.predict_proba(empty)), np.asarray(model.predict_proba(table)))


@pytest.mark.unit
def test_hash_of_small_arrays_starts_no_thread(monkeypatch):
    small, large = np.arange(1000), np.zeros(2**20)

    def start(thread):
        raise AssertionError("a thread was started")

    before = hash_arrays([small]), hash_arrays([large])
    monkeypatch.setattr(threading.Thread, "start", start)
    assert hash_arrays([small]) == before[0] != hash_arrays([small[::2]])
    with pytest.raises(AssertionError, match="a thread"):
        hash_arrays([large])
