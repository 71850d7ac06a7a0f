"""What numbers or names the rows is left out, however it came into the table, and the flag that keeps it is told."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

import sensorium

N = 60
RANDOM = np.random.default_rng(0)
NOISE = RANDOM.normal(size=N)
LABELS = ["a"] * 30 + ["b"] * 30
SHUFFLED = RANDOM.permutation(N)


def frame(index=None, **columns):
    return pd.DataFrame({"x": NOISE, **columns, "label": LABELS}, index=index)


def plans(source, **config):
    return {column.name: column for column in sensorium.inspect(source, "label", config=config).columns}


def used(source, **config):
    return [name for name, column in plans(source, **config).items() if column.modality]


COUNTERS = {
    "in order": np.arange(N),
    "from 100": np.arange(100, 100 + N),
    "negative": np.arange(N) - 30,
    "descending": np.arange(N)[::-1],
    "shuffled": SHUFFLED,
    "floats": SHUFFLED.astype(float),
    "text": [str(i) for i in SHUFFLED],
    "padded text": [f"{i:04d}" for i in SHUFFLED],
    "with gaps": [None if i % 7 == 0 else int(v) for i, v in enumerate(range(N), 1)],
    "a sample of a larger table": RANDOM.permutation(75)[:N],
    "unsigned": SHUFFLED.astype(np.uint16),
}


@pytest.mark.parametrize("name", COUNTERS)
def test_row_numbers_are_left_out_whatever_they_are_called(name):
    found = plans({"x": NOISE, "c": COUNTERS[name], "label": LABELS})["c"]
    assert found.modality is None
    assert "whole numbers from" in found.reason
    assert "--modality c=number" in found.caution


MEASURES = {
    "counts that repeat": np.arange(N) // 2,
    "decimals": np.arange(N) + 0.5,
    "squares": np.arange(N) ** 2,
    "every tenth": np.arange(N) * 10,
    "years": [2000 + i % 20 for i in range(N)],
    "zero and one": [0, 1] * 30,
}


@pytest.mark.parametrize("name", MEASURES)
def test_measures_are_used(name):
    assert "c" in used({"x": NOISE, "c": MEASURES[name], "label": LABELS})


def test_few_rows_are_not_taken_for_row_numbers():
    assert "c" in used({"x": NOISE[:8], "c": [3, 1, 2, 4, 6, 5, 8, 7], "label": ["a", "b"] * 4})


INDEXES = {
    "shuffled numbers": pd.Index(SHUFFLED),
    "every third": pd.Index(np.arange(N) * 3 + 1),
    "words": pd.Index([f"person {i % 20}" for i in range(N)], name="person"),
    "days": pd.date_range("2026-01-01", periods=N),
    "named days": pd.date_range("2026-01-01", periods=N, name="day"),
    "several levels": pd.MultiIndex.from_arrays([np.arange(N) % 7, SHUFFLED]),
    "several named levels": pd.MultiIndex.from_arrays([np.arange(N) % 7, SHUFFLED], names=["shop", "visit"]),
    "called like a column": pd.Index(SHUFFLED * 3, name="x"),
}


@pytest.mark.parametrize("kind", ["frame", "parquet", "feather", "arrow", "arrow table"])
@pytest.mark.parametrize("name", INDEXES)
def test_an_index_of_pandas_is_left_out(name, kind, tmp_path):
    given = frame(INDEXES[name])
    if kind != "frame" and name == "called like a column":
        return  # pandas writes no such table
    table = pa.Table.from_pandas(given)
    if kind == "parquet":
        given.to_parquet(tmp_path / "t.parquet")
    elif kind in ("feather", "arrow"):
        feather.write_feather(table, tmp_path / f"t.{kind}")
    source = given if kind == "frame" else table if kind == "arrow table" else tmp_path / f"t.{kind}"
    found = plans(source)
    assert [column for column, plan in found.items() if plan.modality] == ["x"]
    left = [plan for column, plan in found.items() if column not in ("x", "label")]
    assert left and all("the index of a pandas table" in plan.reason for plan in left)
    assert all("--modality" in plan.caution and "reset_index()" in plan.caution for plan in left)


def test_a_plain_index_makes_no_column():
    assert list(plans(frame())) == ["x", "label"]
    assert list(plans(frame(pd.RangeIndex(10, 10 + 2 * N, 2, name="row")))) == ["x", "label"]


def test_an_index_that_lost_its_metadata_is_known_by_its_name(tmp_path):
    table = pa.Table.from_pandas(frame(pd.Index(SHUFFLED * 3))).replace_schema_metadata(None)
    parquet.write_table(table, tmp_path / "t.parquet")
    assert used(tmp_path / "t.parquet") == used(pl.read_parquet(tmp_path / "t.parquet")) == ["x"]


HEADERS = ["", " ", "Unnamed: 0", "Unnamed: 0.1", "...1", "__index_level_0__"]


@pytest.mark.parametrize("header", HEADERS)
def test_a_column_without_a_name_is_left_out_even_of_part_of_a_table(header, tmp_path):
    lines = [f"{3 * i + 1},{x},{label}" for i, x, label in zip(SHUFFLED, NOISE, LABELS, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join([f"{header},x,label", *lines]))
    found = plans(tmp_path / "t.csv")
    assert [name for name, plan in found.items() if plan.modality] == ["x"]
    name = next(iter(found))
    assert f"{name}=" in found[name].caution and "--modality" in found[name].caution
    assert used(tmp_path / "t.csv", modalities={name: "number"}) == [name, "x"]


def test_several_columns_without_a_name_are_told_apart(tmp_path):
    frame(INDEXES["several levels"]).to_csv(tmp_path / "t.csv")
    assert list(plans(tmp_path / "t.csv")) == ["column 1", "column 2", "x", "label"]
    assert used(tmp_path / "t.csv") == ["x"]


@pytest.mark.parametrize("name", ["index", "level_0", "rownames", "row_names", "rowid", "id"])
def test_names_of_indexes_are_known_where_nearly_every_row_has_its_own(name):
    assert used({"x": NOISE, name: SHUFFLED * 3, "label": LABELS}) == ["x"]
    assert name in used({"x": NOISE, name: RANDOM.normal(size=N), "label": LABELS}), "an index of prices is a measure"
    assert name in used({"x": NOISE, name: SHUFFLED % 5, "label": LABELS})


def test_what_the_settings_ask_for_is_used():
    given = frame(pd.Index([f"person {i % 20}" for i in range(N)], name="person"))
    assert used(given, columns=["x", "person"]) == ["x", "person"]
    assert used(given, modalities={"person": "category"}) == ["x", "person"]
    assert used(given, towers={"both": ["person"]}) == ["x", "person"]
    assert used(given.reset_index()) == ["person", "x"]


def test_an_index_keeps_its_offices():
    dated = frame(pd.date_range("2026-01-01", periods=N, name="day"))
    found = sensorium.inspect(dated, "label", config={"split": {"time": "day"}})
    assert "by time" in found.split["how"]
    assert [column.name for column in found.columns if column.modality] == ["x"]
    assert sensorium.inspect(frame().set_index("label"), "label").target["task"] == "binary"


def test_a_shuffled_frame_teaches_nothing_and_its_index_may_be_missing():
    model = sensorium.fit(frame().sample(frac=1, random_state=1), "label", epochs=1, progress=False)
    assert model.columns == {"x": "number"}
    assert not list(model.predictions(pd.DataFrame({"x": NOISE[:3]})).problems)


def test_an_index_is_no_feature_of_the_estimators():
    pytest.importorskip("sklearn")
    from sensorium.sklearn import MultimodalClassifier

    given = frame(pd.Index([f"person {i}" for i in range(N)], name="person"))
    model = MultimodalClassifier(epochs=1).fit(given[["x"]], given["label"])
    assert model.model_.columns == {"x": "number"}
