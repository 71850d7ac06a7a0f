"""Whatever the source, the same table comes out, spelt as the user spelt it."""

import datetime
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv
from pyarrow import feather, parquet

import sensorium
from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.table import open_table, write_table

ROWS = {"n": [1, 2, None], "x": [0.5, None, 2.0], "t": ["a, b", 'say "hi"', "two\nlines"], "d": ["007", "01", "1"]}


def as_csv(path):
    arrow_csv.write_csv(pa.table(ROWS), path / "t.csv")
    return path / "t.csv"


def as_tsv(path):
    arrow_csv.write_csv(pa.table(ROWS), path / "t.tsv", arrow_csv.WriteOptions(delimiter="\t"))
    return path / "t.tsv"


def as_semicolon_csv(path):
    arrow_csv.write_csv(pa.table(ROWS), path / "t.csv", arrow_csv.WriteOptions(delimiter=";"))
    return path / "t.csv"


def as_jsonl(path):
    lines = [json.dumps({k: v[i] for k, v in ROWS.items() if v[i] is not None}) for i in range(3)]
    (path / "t.jsonl").write_text("\n".join(lines) + "\n")
    return path / "t.jsonl"


def as_parquet(path):
    parquet.write_table(pa.table(ROWS), path / "t.parquet")
    return path / "t.parquet"


def as_feather(path):
    feather.write_feather(pa.table(ROWS), path / "t.feather")
    return path / "t.feather"


def as_arrow_stream(path):
    table = pa.table(ROWS)
    with pa.OSFile(str(path / "t.arrow"), "wb") as stream, pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    return path / "t.arrow"


SOURCES = {
    "csv": as_csv, "tsv": as_tsv, "semicolons": as_semicolon_csv, "jsonl": as_jsonl, "parquet": as_parquet,
    "feather": as_feather, "arrow stream": as_arrow_stream,
    "pandas": lambda _: pd.DataFrame(ROWS), "polars": lambda _: pl.DataFrame(ROWS), "pyarrow": lambda _: pa.table(ROWS),
    "record batch reader": lambda _: pa.table(ROWS).to_reader(), "dict": lambda _: ROWS,
    "dictionary-encoded": lambda _: pa.table({k: pa.array(v).dictionary_encode() for k, v in ROWS.items()}),
    "list of dicts": lambda _: [{k: v[i] for k, v in ROWS.items()} for i in range(3)],
}  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_the_same_cells(source, tmp_path):
    table = open_table(SOURCES[source](tmp_path))
    assert table.arrow.to_pydict() == ROWS
    first = pa.float64() if source == "pandas" else pa.int64()  # a missing cell makes floats of pandas' integers
    assert table.arrow.schema.types == [first, pa.float64(), pa.string(), pa.string()]


@given(
    st.lists(
        st.integers(-(2**70), 2**70).map(str) | st.sampled_from(["007", "1e5", "+5", "-0", "1.50", "", " 3"]),
        min_size=1,
    )
)
def test_text_becomes_integers_only_where_they_are_spelt_the_same(cells):
    column = open_table({"c": cells}).column("c")
    if column.is_integer:
        assert [None if v is None else str(v) for v in column.data.to_pylist()] == [c or None for c in cells]


def test_labels_with_leading_zeros_come_back_so(tmp_path, write):
    lines = [f"{'good fine' if i % 2 else 'bad poor'} thing {i},{'007' if i % 2 else '042'}" for i in range(40)]
    model = sensorium.fit(write("t.csv", "text,label\n" + "\n".join(lines)), "label", epochs=1, progress=False)
    assert set(model.predict([{"text": "good thing"}])) <= {"007", "042"}


def test_times_and_lists_keep_their_types():
    table = open_table({"when": [datetime.datetime(2026, 1, 2, 3)], "tags": [["a", "b"]], "yes": [True]})
    assert pa.types.is_timestamp(table.column("when").data.type)
    assert table.column("tags").is_list
    assert table.column("yes").data.to_pylist() == [True]


def test_missing_spellings_are_set_by_one_line(write):
    path = write("t.csv", "a,b\n1,x\nNA,NA\n")
    assert open_table(path).column("b").data.to_pylist() == ["x", "NA"]
    table = open_table(path, TableConfig(missing=["", "NA"]))
    assert table.arrow.to_pydict() == {"a": [1, None], "b": ["x", None]}


def test_a_byte_order_mark_is_no_part_of_the_first_name(write):
    assert open_table(write("t.csv", "\ufeffa,b\n1,2\n")).columns == ["a", "b"]


def test_other_encodings_are_read_when_named(write):
    path = write("t.csv", "name,x\nMüller,1\n".encode("cp1252"))
    assert open_table(path, TableConfig(encoding="cp1252")).arrow.to_pydict() == {"name": ["Müller"], "x": [1]}


def test_fingerprints_tell_tables_apart(tmp_path):
    first, other = open_table({"a": [1, 2], "b": ["x", None]}), open_table({"a": [1, 2], "b": ["x", "y"]})
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,x\n2,\n")
    assert first.fingerprint() == open_table(path).fingerprint() == open_table(path).fingerprint()
    assert first.fingerprint() != other.fingerprint()
    assert first.take([0, 1]).fingerprint() == first.fingerprint()


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".tsv", ".jsonl", ".arrow", ".feather"])
def test_written_tables_read_back(suffix, tmp_path):
    rows = {"row": [0, 1], "prediction": ["a", "b"], "problem": [None, "x: unreadable"]}
    write_table(pa.table(rows), tmp_path / f"t{suffix}")
    assert open_table(tmp_path / f"t{suffix}").arrow.to_pydict() == rows
    assert [p.name for p in tmp_path.iterdir()] == [f"t{suffix}"]


def test_numpy_integers_of_any_width_become_int64():
    frame = pd.DataFrame({"a": np.array([1, 2], np.uint8), "b": np.array([1, 2**64 - 1], np.uint64)})
    table = open_table(frame)
    assert table.column("a").is_integer
    assert table.column("b").data.to_pylist() == ["1", str(2**64 - 1)], "what no int64 holds keeps its digits as text"


def fails(source, *words, **options):
    with pytest.raises(TableError) as caught:
        open_table(source, TableConfig(**options))
    for word in words:
        assert word in str(caught.value)


def test_faults_of_files_are_told(write, tmp_path):
    fails(tmp_path / "none.csv", "the table does not exist")
    fails(tmp_path, "a folder, not a table")
    fails(write("t.xyz", "a"), "unknown kind of table: .xyz", ".parquet")
    fails(write("empty.csv", ""), "empty")
    fails(write("header.csv", "a,b\n"), "no rows")
    fails(write("twice.csv", "a,b,a\n1,2,3\n"), "2 columns have the name 'a'", "rename")
    fails(write("latin.csv", "name\nMüller\n".encode("cp1252")), "not utf-8", "table.encoding=cp1252")
    fails(write("ragged.csv", "a,b\n1,2\n3\n4,5\n6,7,8\n"), "2 rows", "line 3 has 1", "line 5 has 3", "the header (2)")
    fails(write("t.parquet", "PAR1 nonsense"), "cannot read the file as Parquet")
    fails(write("t.arrow", "nonsense"), "cannot read the file as Arrow")
    fails(
        write("t.jsonl", '{"a": 1}\nnonsense\n[1]\n{"a": 1, "a": 2}\n'),
        "3 faults",
        "line 2",
        "line 3",
        "line 4",
        "twice",
    )


def test_unknown_encodings_are_told(write):
    fails(write("t.csv", "a\n1\n"), "'klingon' is not a text encoding", encoding="klingon")


def test_faults_of_objects_are_told():
    fails(5, "cannot read a table from int")
    fails(pd.DataFrame({"a": []}), "no rows")
    fails({}, "1 row without a column")
