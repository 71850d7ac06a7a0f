"""`sensorium predict`: columns that are copied, formats, stdout, tables without rows."""

import io
import json

import pyarrow.csv
import pytest
from calls import answer, call
from pyarrow import parquet

import sensorium
from sensorium.errors import ConfigError, SchemaError, TableError


@pytest.fixture(scope="module")
def simple(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simple")
    table = {"x": [row * 0.1 for row in range(40)], "y": ["a", "b"] * 20}
    sensorium.fit(table, "y", epochs=1, width=8, out=folder / "run", progress=False)
    (folder / "t.csv").write_text("id,x,site name\n007,1.5,=a\n008,2.5,b\n")
    return folder


def test_columns_are_copied(simple, tmp_path):
    found = answer("predict", simple / "run", simple / "t.csv", "-o", tmp_path / "a.parquet", "--keep", "id, site name")
    assert found["rows"] == 2 and set(found) == {"rows", "out", "notices"}
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names[:4] == ["row", "id", "site name", "prediction"]
    assert table["id"].to_pylist() == ["007", "008"]
    call("predict", simple / "run", simple / "t.csv", "-o", tmp_path / "all.jsonl", "--keep", "all", "--quiet")
    first = json.loads((tmp_path / "all.jsonl").read_text().splitlines()[0])
    assert list(first)[:5] == ["row", "id", "x", "site name", "prediction"]


def test_a_missing_column_is_an_error_and_writes_no_file(simple, tmp_path):
    with pytest.raises(SchemaError, match="no column 'site_name'") as caught:
        call("predict", simple / "run", simple / "t.csv", "-o", tmp_path / "a.csv", "--keep", "id,site_name")
    assert "did you mean 'site name'?" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_predictions_are_written_to_stdout(simple):
    result = call("predict", simple / "run", simple / "t.csv", "-o", "-", "--keep", "id,site name", "--safe-csv")
    table = pyarrow.csv.read_csv(io.BytesIO(result.stdout.encode()))
    assert table.num_rows == 2 and table["site name"].to_pylist() == ["'=a", "b"]
    assert "an apostrophe" in result.stderr
    with pytest.raises(ConfigError, match="--json cannot be combined"):
        call("predict", simple / "run", simple / "t.csv", "-o", "-", "--json")


@pytest.mark.parametrize(("name", "content"), [("t.csv", "id,x\n"), ("t.jsonl", "")])
def test_a_table_without_rows_gives_a_file_without_rows(name, content, simple, tmp_path):
    (tmp_path / name).write_text(content)
    assert answer("predict", simple / "run", tmp_path / name, "-o", tmp_path / "a.csv", "--keep", "id")["rows"] == 0
    header = (tmp_path / "a.csv").read_text()
    assert header == '"row","id","prediction","probability_a","probability_b","problem"\n'


def test_problems_of_the_table_are_notices_and_not_of_a_row(simple, tmp_path):
    (tmp_path / "t.csv").write_text("id,x\n1,1.5\n\n2,2.5\n")
    found = answer("predict", simple / "run", tmp_path / "t.csv", "-o", tmp_path / "a.csv")
    assert [(notice["reason"], notice["rows"]) for notice in found["notices"]] == [
        ("1 blank line between the rows is skipped", [])
    ]
    assert "blank line" not in (tmp_path / "a.csv").read_text()


def test_a_column_that_a_sheet_cannot_hold_is_an_error_and_writes_no_file(simple, tmp_path):
    (tmp_path / "t.jsonl").write_text(json.dumps({"x": 1.5, "note": "a" * 40_000}))
    with pytest.raises(TableError, match="row 0 of column 'note' has 40,000 characters"):
        call("predict", simple / "run", tmp_path / "t.jsonl", "-o", tmp_path / "a.xlsx", "--keep", "note")
    assert not (tmp_path / "a.xlsx").exists()
    assert answer("predict", simple / "run", tmp_path / "t.jsonl", "-o", tmp_path / "a.xlsx")["rows"] == 1
