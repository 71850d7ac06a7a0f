"""Numbers and dates that stand for a missing cell, wherever a table comes from: `table.missing` goes by their value."""

import json
from datetime import date, datetime
from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sensorium
from sensorium.config import Config, TableConfig, parse_assignments
from sensorium.modalities.number import Number
from sensorium.table import open_table
from tiers import spread

ROWS, CODE = 120, -99999
QUICK = {"train": {"epochs": 3}}


def cells(code, kind=float):
    """Numbers of which every fifth is the code."""
    drawn = np.random.default_rng(0).normal(100, 5, ROWS)
    return [code if row % 5 == 0 else kind(value) for row, value in enumerate(drawn)]


def written(folder, kind, values, name="t"):
    """A table of these numbers and a label, in some form."""
    frame = pd.DataFrame({"close": values, "a": np.arange(ROWS) * 0.37, "y": ["up", "down"] * (ROWS // 2)})
    if kind == "frame":
        return frame
    path = folder / f"{name}.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dict("records")))
    else:
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
    return path


@pytest.mark.parametrize("kind", ["csv", "jsonl", "frame", "parquet"])
@pytest.mark.parametrize("numbers", [float, int])
@pytest.mark.parametrize("word", ["-99999", "-99999.0"])
def test_a_code_is_missing_in_every_kind_of_table(tmp_path, kind, numbers, word):
    table = open_table(written(tmp_path, kind, cells(CODE, numbers)), TableConfig(missing=["", word]))
    column = table.column("close")
    assert column.present.tolist() == [row % 5 != 0 for row in range(ROWS)]
    assert min(column.values.to_pylist()) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "fitted"),
    spread(
        product(["table", "column"], ["csv", "jsonl", "frame"]),
        [("table", "csv"), ("column", "jsonl"), ("column", "frame")],
    ),
)
def test_a_model_reads_the_code_as_missing_in_every_kind_of_table(tmp_path, fitted, where):
    setting = {"table": {"missing": ["", CODE]}} if where == "table" else {"modalities": {"close": {"missing": [CODE]}}}
    model = sensorium.fit(written(tmp_path, fitted, cells(CODE)), "y", config={**QUICK, **setting})
    assert model.fitted.learnt["close"].mean > 0
    empty = model.predict_proba(written(tmp_path, "frame", cells(None)))
    for kind in ("csv", "jsonl", "frame", "parquet"):
        assert np.array_equal(model.predict_proba(written(tmp_path, kind, cells(CODE), "new")), empty), kind
    path = tmp_path / "model"
    model.save(path)
    assert np.array_equal(sensorium.load(path).predict_proba(written(tmp_path, "frame", cells(CODE))), empty)


def test_without_the_setting_the_code_is_a_value(tmp_path):
    assert open_table(written(tmp_path, "frame", cells(CODE))).column("close").present.all()


def test_numbers_in_the_setting_are_words():
    found = Config.gather(parse_assignments(["table.missing=[-99999, 1.5, 7.0, n/a]"])).table.missing
    assert found == ["-99999", "1.5", "7", "n/a"]


@pytest.mark.parametrize("typed", [date(9999, 12, 31), datetime(9999, 12, 31)])
def test_a_date_of_the_same_value_is_missing(typed):
    days = [typed, *(type(typed)(2024, 1, day) for day in (1, 2, 3))]
    column = open_table({"d": pa.array(days), "a": [1, 2, 3, 4]}, TableConfig(missing=["9999-12-31"])).column("d")
    assert column.present.tolist() == [False, True, True, True]


def test_a_moment_that_no_cell_can_hold_leaves_the_others_missing():
    days = pa.array(pd.to_datetime(["1900-01-01", "2024-01-01", "2024-01-02"]))  # nanoseconds end in 2262
    found = open_table({"d": days, "a": [1, 2, 3]}, TableConfig(missing=["9999-12-31", "1900-01-01"])).column("d")
    assert found.present.tolist() == [False, True, True]
    days = pa.array([date(1900, 1, 1), date(2024, 1, 1)])
    found = open_table({"d": days, "a": [1, 2]}, TableConfig(missing=["1900-01-01 12:00"])).column("d")
    assert found.present.all()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["%d.%m.%Y", "%Y-%m-%d", "%d %b %Y", "%Y%m%d"])
def test_a_date_of_the_same_value_is_missing_however_it_is_written(tmp_path, form):
    days = [date(9999, 12, 31) if row % 5 == 0 else date(2024, 1, 1 + row % 28) for row in range(ROWS)]
    frame = pd.DataFrame({"left": [day.strftime(form) for day in days], "y": ["up", "down"] * (ROWS // 2)})
    setting = {"table": {"missing": ["", "9999-12-31"]}, "modalities": {"left": "date"}}
    model = sensorium.fit(frame, "y", config={**QUICK, **setting})
    model.save(tmp_path / "model")
    for date_column in (model.fitted.learnt["left"], sensorium.load(tmp_path / "model").fitted.learnt["left"]):
        assert date_column.latest < datetime(2025, 1, 1).timestamp()
        found = date_column.encode(open_table(frame).column("left"))
        assert found.present.tolist() == [row % 5 != 0 for row in range(ROWS)]
        assert not found.problems


def test_a_number_of_the_same_value_is_missing_however_it_is_written():
    frame = pd.DataFrame({"a": [f"{row},25" if row % 5 else "-99.999,00" for row in range(ROWS)]})
    table = open_table(frame, TableConfig(missing=["", "-99999"]))
    column = table.column("a")
    found = Number.learn(column).encode(column)
    assert found.present.tolist() == [row % 5 != 0 for row in range(ROWS)]


@pytest.mark.parametrize("word", ["false", "007"])
def test_words_that_spell_no_number_empty_no_label(word):
    frame = pd.DataFrame({"x": np.arange(60) * 0.37, "y": [0, 1, 7] * 20})
    model = sensorium.fit(frame, "y", task="multiclass", config={**QUICK, "table": {"missing": ["", word]}})
    assert model.fitted.task.labels == [0, 1, 7]


def test_codes_of_text_are_not_numbers():
    column = open_table({"c": [0, 7, 12], "a": [1, 2, 3]}, TableConfig(missing=["007", "00"])).column("c")
    assert column.present.all()


def test_a_limit_of_the_same_number_is_kept(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("crp,y\n" + "".join(f"{v},{'ab'[i % 2]}\n" for i, v in enumerate(["<5", "7.5", "5", "8.25"] * 20)))
    model = sensorium.fit(path, "y", config={**QUICK, "modalities": {"crp": {"missing": [5]}}})
    column = open_table(path).column("crp").slice(0, 4)
    assert model.fitted.learnt["crp"].encode(column).present.tolist() == [True, True, False, True]
