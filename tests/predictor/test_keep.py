"""Predictions can be joined back: columns of the table are copied beside them, and written in every format."""

import datetime
import json
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from calls_of_predictor import fitted
from pyarrow import csv, parquet

import sensorium
from sensorium.errors import ConfigError, SchemaError, TableError
from sensorium.findings import Problem
from sensorium.predictor import _predict
from sensorium.table import open_table

CSV = "id,x,words,version,price,note\n007,1.5,red thing,1.10,-2.50,=cmd\n008,2.5,blue thing,1.2,-1,n/a\n"


@pytest.fixture(scope="module")
def model():
    return fitted()


@pytest.fixture
def rows(tmp_path):
    (tmp_path / "rows.csv").write_text(CSV)
    return tmp_path / "rows.csv"


@pytest.fixture
def typed():
    return pa.table({
        "id": pa.array([2**60, 3], pa.int64()), "x": [1.5, 2.5], "words": ["red thing", "blue thing"],
        "day": [datetime.date(2026, 1, 2), None], "small": pa.array([1, None], pa.int16()),
        "when": pa.array([datetime.datetime(2026, 1, 2, 3), None], pa.timestamp("us", "Europe/Berlin")),
        "kind": pa.array(["u", "v"]).dictionary_encode(), "marks": [["a", "b"], []], "file": [b"\xff\x00", None],
        "part": [{"a": 1}, {"a": None}], "odd": [float("nan"), float("inf")],
    })  # fmt: skip


def test_kept_columns_stand_between_the_row_and_the_prediction(model, rows):
    found = model.predictions(rows, keep=["version", "id"]).to_arrow()
    assert found.column_names == ["row", "version", "id", "prediction", "probability_a", "probability_b", "problem"]
    assert found["id"].to_pylist() == ["007", "008"]
    assert found["version"].to_pylist() == [1.1, 1.2]
    assert model.predictions(rows, keep="id").to_arrow().column_names[:3] == ["row", "id", "prediction"]
    assert model.predictions(rows, keep=np.array(["id"])).to_arrow()["id"].to_pylist() == ["007", "008"]


def test_text_files_get_the_spelling_of_the_table(model, rows, tmp_path):
    found = model.predictions(rows, keep="all")
    found.save(tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[1].startswith('0,"007","1.5","red thing","1.10","-2.50","=cmd","')
    assert lines[2].startswith('1,"008","2.5","blue thing","1.2","-1","n/a","')


def test_numbers_are_no_formulas_and_text_of_kept_columns_is_escaped(model, rows, tmp_path):
    (said,) = model.predictions(rows, keep="all").save(tmp_path / "out.csv", safe_csv=True)
    assert "1 text cell ('note')" in said.reason
    found = csv.read_csv(tmp_path / "out.csv")
    assert found["note"].to_pylist() == ["'=cmd", "n/a"] and found["price"].to_pylist() == [-2.5, -1]


def test_types_of_the_source_are_kept(model, typed, tmp_path):
    found = model.predictions(typed, keep="all")
    found.save(tmp_path / "out.parquet")
    read = parquet.read_table(tmp_path / "out.parquet")
    for name in ("id", "x", "day", "small", "when", "marks", "file", "part"):
        assert read.schema.field(name).type == typed.schema.field(name).type
        assert read[name].to_pylist() == typed[name].to_pylist()
    assert read["kind"].to_pylist() == ["u", "v"]
    assert read.schema.field("probability_a").type == pa.float64()


def test_formats_without_such_types_hold_json_and_data_urls(model, typed, tmp_path):
    found = model.predictions(typed, keep="all")
    for suffix in (".jsonl", ".csv", ".xlsx"):
        found.save(tmp_path / f"out{suffix}")
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert first["day"] == "2026-01-02" and first["marks"] == ["a", "b"] and first["part"] == {"a": 1}
    assert first["file"] == "data:application/octet-stream;base64,/wA=" and second["file"] is None
    assert first["odd"] is None and second["odd"] == "inf" and first["id"] == 2**60
    for suffix in (".csv", ".xlsx"):
        read = (
            pd.read_csv(tmp_path / "out.csv")
            if suffix == ".csv"
            else pd.read_excel(tmp_path / "out.xlsx", engine="openpyxl")
        )
        assert read["marks"].tolist() == ['["a", "b"]', "[]"]
        assert read["part"].tolist() == ['{"a": 1}', '{"a": null}']
        assert read["file"][0] == first["file"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl", ".feather", ".arrow", ".xlsx"])
def test_every_format_is_read_back_and_joined(suffix, model, typed, tmp_path):
    table = typed.select(["x", "words", "day"]).append_column("id", pa.array(["k1", "k2"]))
    found = model.predictions(table, keep=["id", "day"])
    found.save(tmp_path / f"out{suffix}")
    read = open_table(tmp_path / f"out{suffix}").arrow
    assert read["id"].to_pylist() == ["k1", "k2"]
    assert read["prediction"].to_pylist() == found.values.tolist()
    np.testing.assert_allclose(read["probability_a"].to_pylist(), found.scores[:, 0])
    joined = table.to_pandas().merge(read.to_pandas(), on="id")
    assert joined["prediction"].tolist() == found.values.tolist()


def test_a_copy_never_takes_the_name_of_a_prediction(model):
    rows = {"x": [1.0], "words": ["red"], "prediction": ["old"], "row": [7], "row_": [8], "problem": ["p"]}
    found = model.predictions(rows, keep="all")
    table = found.to_arrow()
    assert table.column_names[:7] == ["row", "x", "words", "prediction_", "row__", "row_", "problem_"]
    assert table["row__"].to_pylist() == [7] and table["row_"].to_pylist() == [8] and table["row"].to_pylist() == [0]
    said = {problem.column: problem.reason for problem in found.problems if "is copied as" in problem.reason}
    assert set(said) == {"prediction", "row", "problem"} and "'row__'" in said["row"]


def test_a_column_that_is_not_there_is_an_error_with_similar_names(model, rows):
    with pytest.raises(SchemaError, match="no column 'ID'") as caught:
        model.predictions(rows, keep=["ID", "id"])
    assert "did you mean 'id'?" in str(caught.value)
    with pytest.raises(ConfigError, match="keep"):
        model.predictions(rows, keep=3)


def test_an_index_and_nullable_types_of_pandas_are_kept(model):
    frame = pd.DataFrame(
        {"x": [1.5, 2.5], "period": pd.period_range("2026-01", periods=2, freq="M")},
        index=pd.Index(["k1", "k2"], name="key"),
    )
    frame["count"] = pd.Series([1, None], index=frame.index, dtype="Int32")
    found = model.predictions(frame, keep=["key", "count", "period"]).to_arrow()
    assert found["key"].to_pylist() == ["k1", "k2"] and found["count"].to_pylist() == [1, None]
    assert found.schema.field("count").type == pa.int32()
    assert found.to_pandas()["period"].tolist() == frame["period"].tolist()


def test_union_and_run_end_columns_are_written_in_every_format(model, tmp_path):
    runs = pa.RunEndEncodedArray.from_arrays([1, 2], ["u", "v"])
    table = pa.table({"x": [1.5, 2.5], "runs": runs, "time": pa.array([60, 90], pa.duration("s"))})
    found = model.predictions(table, keep=["runs", "time"])
    for suffix in (".parquet", ".jsonl", ".csv", ".xlsx"):
        found.save(tmp_path / f"out{suffix}")
        read = open_table(tmp_path / f"out{suffix}").arrow
        assert read["runs"].to_pylist() == ["u", "v"] and read["time"].to_pylist() == [60, 90]


@pytest.mark.parametrize("target", ["marks", "tags", "z", ["y", "z", "marks"]])
def test_predictions_of_every_task_are_written_and_read(target, tmp_path):
    marks = [["u"], ["v", "u"]] * 40
    columns = {"z": [row * 0.37 for row in range(80)], "marks": marks, "tags": ["|".join(each) for each in marks]}
    wanted = [target] if isinstance(target, str) else target
    task = {"task": "multilabel"} if target == "tags" else {}
    model = fitted(target, {name: columns[name] for name in wanted if name in columns}, **task)
    rows = {"x": [1.0, 3.0], "words": ["red thing", None], "id": ["k1", "k2"]}
    found = model.predictions(rows, keep="id")
    table = found.to_arrow()
    for suffix in (".parquet", ".csv", ".tsv", ".jsonl", ".xlsx", ".feather"):
        found.save(tmp_path / f"out{suffix}")
        read = open_table(tmp_path / f"out{suffix}").arrow
        assert read.column_names == table.column_names and read["id"].to_pylist() == ["k1", "k2"]
        for name in table.column_names:
            expected, cells = table[name].to_pylist(), read[name].to_pylist()
            if suffix in (".csv", ".tsv", ".xlsx") and pa.types.is_list(table.schema.field(name).type):
                expected = [json.dumps(cell) for cell in expected]
            if pa.types.is_floating(table.schema.field(name).type):
                np.testing.assert_allclose(cells, expected)
            else:
                assert cells == expected


def test_parts_of_a_list_are_kept():
    random = np.random.default_rng(0)
    table = {"lat": random.uniform(40, 50, 60), "lon": random.uniform(5, 15, 60), "y": ["a", "b"] * 30}
    lists = {"table": {"lists": {"place": ["lat", "lon"]}}}
    model = sensorium.fit(table, "y", config=lists, epochs=1, width=8, progress=False)
    found = model.predictions({"lat": ["47.50"], "lon": ["8.10"]}, keep=["lon"]).to_arrow()
    assert found["lon"].to_pylist() == ["8.10"]


def test_windows_keep_the_row_of_their_last_step():
    n = 60
    long = {"shop": ["a", "b"] * (n // 2), "day": [row // 2 for row in range(n)], "sold": list(np.arange(n) % 7 + 0.5)}
    long["receipt"] = [f"r{row}" for row in range(n)]
    windows = {"entity": "shop", "time": "day", "values": ["sold"], "length": 3, "target": "sold"}
    model = sensorium.fit(
        long, config={"table": {"windows": windows}}, epochs=1, width=8, exclude=["receipt"], progress=False
    )
    found = model.predictions(long, keep=["receipt", "shop"]).to_arrow()
    assert found.column_names[:4] == ["row", "shop", "day", "receipt"]
    rows = [int(receipt[1:]) for receipt in found["receipt"].to_pylist()]
    assert found["shop"].to_pylist() == [long["shop"][row] for row in rows]
    assert [int(day) for day in found["day"].to_pylist()] == [long["day"][row] for row in rows]
    assert len(rows) == n - 4


def test_an_unknown_suffix_is_refused_and_leaves_no_file(model, rows, tmp_path):
    found = model.predictions(rows)
    with pytest.raises(TableError, match=r"cannot write \.sas files"):
        found.save(tmp_path / "out.sas")
    assert [entry.name for entry in tmp_path.iterdir()] == ["rows.csv"]


FAR = {
    "day": pa.array([2**30, None, 20_000], pa.date32()),
    "when": pa.array([-(2**60), 0, 2**60], pa.timestamp("us")),
    "instant": pa.array([2**60, 0, None], pa.timestamp("us", "Europe/Berlin")),
    "days": pa.array([[2**30, 0], None, []], pa.list_(pa.date32())),
    "part": pa.array([{"at": 2**60}, None, {"at": 0}], pa.struct({"at": pa.timestamp("us")})),
}


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".xlsx"])
def test_dates_of_any_year_are_written(suffix, model, tmp_path):
    found = model.predictions({"x": [1.0, 2.0, 3.0], **FAR}, keep=[*FAR])
    found.save(tmp_path / f"out{suffix}")
    if suffix == ".jsonl":
        rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        read = {name: [row[name] for row in rows] for name in FAR}
    else:
        read_table = pd.read_csv if suffix == ".csv" else partial(pd.read_excel, engine="openpyxl")
        frame = read_table(tmp_path / f"out{suffix}", dtype=str)
        read = {name: [None if pd.isna(cell) else cell for cell in frame[name]] for name in FAR}
    far, between = "2941775-04-07", "T" if suffix == ".jsonl" else " "
    assert np.datetime64(2**30, "D") == np.datetime64(far)
    assert read["day"] == [far, None, "2024-10-04"]
    assert read["when"][0].replace(" ", "T") == str(np.datetime64(-(2**60), "us"))
    assert read["when"][1].startswith(f"1970-01-01{between}00:00:00")
    assert read["instant"][0].replace(" ", "T") == f"{np.datetime64(2**60, 'us')}Z"
    days, part = ([far, "1970-01-01"], {"at": str(np.datetime64(2**60, "us"))})
    if suffix == ".jsonl":
        assert read["days"] == [days, None, []] and read["part"][0] == part
    else:
        assert json.loads(read["days"][0]) == days and json.loads(read["part"][0]) == part


@pytest.mark.parametrize("others", [[None, b"id7"], [b"\xff", b"id7"]])
@pytest.mark.parametrize(
    "kind", [pa.binary(), pa.large_binary(), pa.binary_view(), pa.dictionary(pa.int8(), pa.binary())]
)
def test_bytes_are_data_urls_in_every_text_format(kind, others, model, tmp_path):
    """A cell is written alike whatever the other rows hold."""
    cells = pa.array([b"id6", *others], pa.binary())
    cells = cells.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else cells.cast(kind)
    found = model.predictions(pa.table({"x": [1.0, 2.0, 3.0], "key": cells}), keep="key")
    for suffix in (".csv", ".tsv", ".jsonl", ".xlsx"):
        found.save(tmp_path / f"out{suffix}")
        read = open_table(tmp_path / f"out{suffix}").arrow["key"].to_pylist()
        assert read[0] == "data:application/octet-stream;base64,aWQ2"
        assert read[2] == "data:application/octet-stream;base64,aWQ3"


def test_views_of_text_are_written_as_text(model, tmp_path):
    table = pa.table({"x": [1.0, 2.0], "key": pa.array(["k1", None], pa.string_view())})
    found = model.predictions(table, keep="key")
    for suffix in (".csv", ".tsv", ".jsonl", ".xlsx", ".parquet"):
        found.save(tmp_path / f"out{suffix}")
        assert open_table(tmp_path / f"out{suffix}").arrow["key"].to_pylist() == ["k1", None]


@pytest.mark.slow
def test_twenty_thousand_columns_are_kept():
    """Each column takes constant time; with time that grows with their number, this takes many minutes."""
    names = [f"c{place}" for place in range(20_000)]
    table = open_table(pa.table([pa.array([1])] * len(names), names), keep="all")
    assert list(table.kept_columns.cells) == names


LONG, CELL = "x" * 40_000, 32_767


@pytest.fixture
def predicting(monkeypatch):
    """Calls of the step that predicts."""
    calls, score = [], _predict.score_rows
    monkeypatch.setattr(_predict, "score_rows", lambda *given: calls.append(1) or score(*given))
    return calls


@pytest.mark.parametrize(
    ("cells", "finding"),
    [
        (["a", LONG, LONG], "row 1 of column 'note' has 40,000 characters; 2 cells of the column are too long"),
        ([None, None, "😀" * 17_000], "row 2 of column 'note' has 34,000 characters"),
        ([[1.5] * 9_000, [], None], "row 0 of column 'note' has 45,000 characters"),
        ([None, b"\xff" * 30_000, None], "row 1 of column 'note' has 40,037 characters"),
    ],
    ids=["text", "emoji", "list", "bytes"],
)
def test_what_a_sheet_cannot_hold_is_an_error_before_predicting(cells, finding, model, tmp_path, predicting):
    rows = pa.table({"x": [1.0, 2.0, 3.0], "note": cells})
    with pytest.raises(TableError, match=finding) as caught:
        model.predictions(rows, keep="note", out=tmp_path / "out.xlsx")
    assert "out.xlsx" in caught.value.place and "--keep" in caught.value.cure and not predicting
    model.predictions(rows, keep="note", out=tmp_path / "out.csv").save(tmp_path / "out.csv")
    model.predictions(rows, keep="x", out=tmp_path / "out.xlsx").save(tmp_path / "out.xlsx")
    assert len(predicting) == 2
    found = model.predictions(rows, keep="note")
    with pytest.raises(TableError, match=finding):
        found.save(tmp_path / "kept.xlsx")
    assert not (tmp_path / "kept.xlsx").exists() and len(found) == 3


def test_a_cell_of_the_largest_length_is_written(model, tmp_path):
    rows = pa.table({"x": [1.0], "note": ["y" * CELL]})
    model.predictions(rows, keep="note", out=tmp_path / "out.xlsx").save(tmp_path / "out.xlsx")
    assert open_table(tmp_path / "out.xlsx").arrow["note"].to_pylist() == ["y" * CELL]


def test_more_rows_or_columns_than_a_sheet_has_are_an_error_before_predicting(model, tmp_path, predicting):
    rows = pa.table({"x": pa.nulls(2**20, pa.float64())})
    with pytest.raises(TableError, match="1,048,576 rows and 5 columns are more than a sheet can hold"):
        model.predictions(rows, out=tmp_path / "out.xlsx")
    wide = pa.table({"x": [1.0], **{f"c{place}": [place] for place in range(2**14 - 4)}})
    with pytest.raises(TableError, match="1 rows and 16,386 columns are more"):
        model.predictions(wide, keep="all", out=tmp_path / "out.xlsx")
    with pytest.raises(TableError, match=r"cannot write \.odd files"):
        model.predictions(wide, out=tmp_path / "out.odd")
    assert not predicting


def test_problems_that_a_cell_cannot_hold_are_cut_and_reported(model, tmp_path):
    found = model.predictions({"x": [1.0, 2.0], "words": ["red", None]}, out=tmp_path / "out.xlsx")
    found.problems.extend([Problem(0, "x", f"reason {number}") for number in range(4_000)])
    (told,) = found.save(tmp_path / "out.xlsx")
    assert told.column == "problem" and "text of 1 cell is cut to 32,767 characters" in told.reason
    read = open_table(tmp_path / "out.xlsx").arrow
    assert read["prediction"].to_pylist() == found.values.tolist()
    whole, cut = found.to_arrow()["problem"][0].as_py(), read["problem"][0].as_py()
    assert len(cut) == CELL and cut == whole[: CELL - 1] + "…"
    assert len(found.save(tmp_path / "out.csv")) == 0
