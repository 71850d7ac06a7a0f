"""Text that a spreadsheet would run as a formula: written as it is and said, made safe on demand, text in XLSX."""

import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from pyarrow import csv

from sensorium.errors import TableError
from sensorium.table import open_table, write_table

TEXTS = ["=1+1", "+x", "-5", "@SUM(A1)", "\tx", "\rx", "a=1", "", None, "'quoted"]
TABLE = pa.table({"t": TEXTS, "n": [-5, 1, 2, 3, 4, 5, 6, 7, 8, None], "=h": pa.array([-0.5] * 10)})


def text_of(path):
    kept = csv.ConvertOptions(
        column_types={"t": pa.string()}, strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    return csv.read_csv(path, convert_options=kept)


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_formulas_are_written_unchanged_and_said_once(suffix, tmp_path):
    (told,) = write_table(TABLE, tmp_path / f"t{suffix}")
    assert told.row is None and "7 text cells ('t', the header) begin with" in told.reason
    assert "written unchanged" in told.reason and "--safe-csv" in told.cure
    if suffix == ".csv":
        assert text_of(tmp_path / "t.csv").to_pydict() == TABLE.to_pydict()


def test_safe_csv_marks_text_and_never_numbers(tmp_path):
    (told,) = write_table(TABLE, tmp_path / "t.csv", safe_csv=True)
    assert "an apostrophe is put before each" in told.reason and not told.cure
    found = text_of(tmp_path / "t.csv")
    assert found.column_names == ["t", "n", "'=h"]
    assert found["t"].to_pylist() == ["'=1+1", "'+x", "'-5", "'@SUM(A1)", "'\tx", "'\rx", *TEXTS[6:]]
    assert found["n"].to_pylist() == TABLE["n"].to_pylist()
    assert found["'=h"].to_pylist() == [-0.5] * 10


SPELT = {
    "＝1+1": "'＝1+1", "＋1": "'＋1", "－1": "'－1", "＠SUM(A1)": "'＠SUM(A1)", "\n=1+1": "'\n'=1+1", " =1": "' =1",
    "\u00a0@x": "'\u00a0@x", "\ufeff=1": "'\ufeff=1", "\n": "'\n",
    "x;=cmd()": "x;'=cmd()", "x\t@A1": "x\t'@A1", "x\n=1": "x\n'=1", "x\r＝1": "x\r'＝1", "a;=1;=2": "a;'=1;'=2",
    "1;-2+3+cmd|' /C calc'!A0": "1;'-2+3+cmd|' /C calc'!A0", "x;+SUM(A1)": "x;'+SUM(A1)", ";＋f(1)": ";'＋f(1)",
}  # fmt: skip
HARMLESS = ["1;-2;+3", "eggs:\n- two\n+ milk", "a = b", "a;b=c", "x ; y", "ﾠ", "½=", "", None, "é＝1"]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_other_spellings_of_formulas_are_marked_and_nothing_else(kind, tmp_path):
    texts = [*SPELT, *HARMLESS]
    (told,) = write_table(
        pa.table({"t": pa.array(texts).cast(kind), "n": [-1] * len(texts)}), tmp_path / "t.csv", safe_csv=True
    )
    assert f"{len(SPELT)} text cells ('t') begin with" in told.reason
    found = csv.read_csv(
        tmp_path / "t.csv",
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={"t": pa.string()}, strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    assert found["t"].to_pylist() == [*SPELT.values(), *HARMLESS]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".xlsx", ".feather"])
def test_nothing_is_said_of_files_that_hold_types(suffix, tmp_path):
    assert write_table(TABLE, tmp_path / f"t{suffix}", safe_csv=True) == []


def test_nothing_is_said_without_formulas(tmp_path):
    assert write_table(pa.table({"a": ["x", None], "b": [-1, -2]}), tmp_path / "t.csv") == []


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=8))
def test_workbooks_hold_text_as_text(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("book") / "t.xlsx"
    write_table(pa.table({"=t": texts, "n": [-1.5] * len(texts)}), path)
    rows = list(load_workbook(path).active.iter_rows())
    assert [cell.data_type for cell in rows[0]] == ["s", "s"]  # "f" would be a formula
    assert [[cell.data_type for cell in row] for row in rows[1:]] == [["s", "n"]] * len(texts)
    assert [row[1].value for row in rows[1:]] == [-1.5] * len(texts)


def test_workbooks_are_read_as_they_were_written(tmp_path):
    day = datetime.datetime(2026, 1, 2, 3, 4)
    table = pa.table({
        "t": ["=1+1", "a\x1bb", "_x001B_", " blank ", "<&>\n", None], "b": [True, False, None, True, True, True],
        "n": [1, -2, 2**60, None, 5, 6], "f": [0.1, float("nan"), float("inf"), None, 1e300, -0.0], "d": [day] * 6,
    })  # fmt: skip
    write_table(table, tmp_path / "t.xlsx")
    found = {name: column.to_pylist() for name, column in _cells(open_table(tmp_path / "t.xlsx")).items()}
    assert found["t"] == ["=1+1", "a\x1bb", "_x001B_", " blank ", "<&>\n", None]
    assert found["n"] == [1, -2, 2**60, None, 5, 6]
    assert found["b"] == [True, False, None, True, True, True]
    write_table(table, tmp_path / "again.xlsx")
    assert (tmp_path / "again.xlsx").read_bytes() == (tmp_path / "t.xlsx").read_bytes()


def test_a_cell_that_no_workbook_holds_is_refused_and_leaves_no_file(tmp_path):
    with pytest.raises(TableError, match="40,000 characters"):
        write_table(pa.table({"t": ["x" * 40_000]}), tmp_path / "t.xlsx")
    assert list(tmp_path.iterdir()) == []


def _cells(table):
    return {name: table.column(name).data for name in table.arrow.column_names}


@pytest.mark.parametrize("kind", [pa.dictionary(pa.int32(), pa.string()), pa.large_string(), pa.string_view()])
def test_safe_csv_marks_text_of_every_type(kind, tmp_path):
    cells = pa.array(["=1+1", "a=12", None]).cast(kind)
    for safe, expected in ((False, "=1+1"), (True, "'=1+1")):
        (told,) = write_table(pa.table({"t": cells, "n": [1, 2, 3]}), tmp_path / "t.csv", safe_csv=safe)
        assert "1 text cell ('t') begins" in told.reason
        assert text_of(tmp_path / "t.csv")["t"].to_pylist() == [expected, "a=12", None]


def test_workbooks_count_characters_as_excel_does(tmp_path):
    write_table(pa.table({"t": ["\U0001f600" * 16_383 + "x"]}), tmp_path / "t.xlsx")
    with pytest.raises(TableError, match="32,768 characters"):
        write_table(pa.table({"t": ["\U0001f600" * 16_384]}), tmp_path / "t.xlsx")
