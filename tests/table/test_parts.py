"""Folders of part files are tables; class folders, shards and lakes are not taken for them."""

import numpy as np
import pandas as pd
import pytest

import sensorium
from sensorium.errors import TableError
from sensorium.table import open_table

ROWS = pd.DataFrame({"x": [i * i for i in range(60)], "c": ["red", "green", None] * 20, "y": ["a", "b"] * 30})
WRITE = {
    ".parquet": lambda rows, path: rows.to_parquet(path),
    ".csv": lambda rows, path: rows.to_csv(path, index=False),
    ".jsonl": lambda rows, path: rows.to_json(path, orient="records", lines=True),
    ".feather": lambda rows, path: rows.reset_index(drop=True).to_feather(path),
}


def put(folder, name, rows=ROWS):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    WRITE.get(path.suffix, lambda _, other: other.write_bytes(b"x"))(rows, path)


def cells(table):
    rows = table.arrow.to_pylist()
    return sorted(rows, key=str)


def test_keys_of_folders_are_columns(tmp_path):
    ROWS.to_parquet(tmp_path / "t", partition_cols=["c"], index=False)
    table = open_table(tmp_path / "t")
    given = ROWS.astype(object).where(ROWS.notna(), None)[["x", "y", "c"]].to_dict("records")
    assert cells(table) == sorted(given, key=str)
    found = {column.name: column.modality for column in sensorium.inspect(tmp_path / "t", "y").columns}
    assert found == {"x": "number", "y": None, "c": "category"}


def test_an_index_in_the_parts_is_no_feature(tmp_path):
    ROWS.sample(frac=1, random_state=0).to_parquet(tmp_path / "t", partition_cols=["c"])
    found = {column.name: column.modality for column in sensorium.inspect(tmp_path / "t", "y").columns}
    assert found == {"x": "number", "y": None, "__index_level_0__": None, "c": "category"}


def test_nested_keys_keep_their_spelling_and_what_is_hidden_is_passed_over(tmp_path):
    for year in (2025, 2026):
        for month in ("01", "11"):
            put(tmp_path, f"year={year}/month={month}/part-0.snappy.parquet", ROWS.head(3))
            put(tmp_path, f"year={year}/month={month}/.part-0.crc")
            put(tmp_path, f"year={year}/month={month}/_committed_1")
    for name in ("_SUCCESS", "_metadata", "README.md", "_temporary/0.parquet"):
        put(tmp_path, name)
    table = open_table(tmp_path)
    assert len(table) == 12
    assert table.column("year").data.to_pylist()[:1] == [2025]
    assert set(table.column("month").data.to_pylist()) == {"01", "11"}


@pytest.mark.parametrize("suffix", WRITE)
def test_parts_of_any_kind_are_read(suffix, tmp_path):
    put(tmp_path, f"place=a%20b/0{suffix}", ROWS.head(3))
    put(tmp_path, f"place=c%2Fd/0{suffix}", ROWS.tail(3))
    put(tmp_path, f"place=__HIVE_DEFAULT_PARTITION__/0{suffix}", ROWS.head(1))
    table = open_table(tmp_path)
    assert sorted(table.column("place").data.drop_null().to_pylist()) == ["a b"] * 3 + ["c/d"] * 3
    assert len(table) == 7 and table.column("x").is_integer


@pytest.mark.parametrize("folder", ["plain", "spark.parquet", "one/data"])
def test_parts_side_by_side_are_one_table(folder, tmp_path):
    for number in (0, 1, 10):
        put(tmp_path, f"{folder}/part-{number}.parquet", ROWS.iloc[number : number + 2])
    put(tmp_path, f"{folder}/_SUCCESS")
    put(tmp_path, f"{folder.split('/')[0]}/README.md")
    table = open_table(tmp_path / folder.split("/")[0])
    assert table.column("x").data.to_pylist() == [0, 1, 1, 4, 100, 121]


def test_names_of_splits_are_kept(tmp_path):
    put(tmp_path, "data/train-00000-of-00002.parquet", ROWS.iloc[:20])
    put(tmp_path, "data/train-00001-of-00002.parquet", ROWS.iloc[20:40])
    put(tmp_path, "data/test-00000-of-00001.parquet", ROWS.iloc[40:])
    found = sensorium.inspect(tmp_path, "y")
    assert found.split["how"].startswith("named by column 'split'")
    assert found.split["rows"]["test"] == 20


def test_parts_that_differ_are_joined_and_told(tmp_path):
    put(tmp_path, "k=1/0.parquet", pd.DataFrame({"v": [1, 2], "s": ["007", "y"], "m": [1, 2]}))
    put(tmp_path, "k=2/0.parquet", pd.DataFrame({"v": [1.5, 2], "s": [1, 2], "n": [3, 3]}))
    put(tmp_path, "k=3/0.parquet", pd.DataFrame({"v": [], "s": [], "m": []}))
    table = open_table(tmp_path)
    assert table.arrow.to_pydict() == {
        "v": [1, 2, 1.5, 2], "s": ["007", "y", "1", "2"], "m": [1, 2, None, None], "n": [None, None, 3, 3],
        "k": [1, 1, 2, 2],
    }  # fmt: skip
    told = {problem.column: problem.reason for problem in table.problems}
    assert set(told) == {"s", "m", "n"}
    assert "read as string" in told["s"] and "it is missing in 1 file of 3" in told["m"]
    notices = {notice["column"] for notice in sensorium.inspect(tmp_path).notices}
    assert notices >= {"s", "m", "n"}


def test_class_folders_stay_class_folders(tmp_path):
    for label in ("walk", "run"):
        put(tmp_path, f"series/{label}/1.parquet")
        put(tmp_path, f"pictures/{label}/1.png")
        put(tmp_path, f"split/train/{label}/1.parquet")
        put(tmp_path, f"named/label={label}/1.png")
    put(tmp_path, "pictures/index.parquet")
    for name in ("series", "pictures", "named"):
        assert open_table(tmp_path / name).columns == ["file", "label"]
    assert open_table(tmp_path / "split").columns == ["file", "label", "split"]


def test_a_table_beside_its_files_is_read(tmp_path):
    put(tmp_path, "images/1.png")
    put(tmp_path, "table.parquet", pd.DataFrame({"image": ["images/1.png"], "y": ["a"]}))
    table = open_table(tmp_path)
    assert table.files.path(table.column("image").data[0].as_py()).is_file()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["_delta_log/0.json", "0.parquet"], "Delta Lake"),
        (["metadata/v1.metadata.json", "data/0.parquet"], "Iceberg"),
        ([".hoodie/hoodie.properties", "0.parquet"], "Hudi"),
        (["k=1/0.parquet", "k=2/0.csv"], "several formats"),
        (["train.csv", "test.csv"], r"one of its tables: test\.csv, train\.csv"),
        (["k=1/0.parquet", "k=2/broken.parquet"], "cannot read the file as Parquet"),
    ],
)
def test_other_folders_are_refused(names, message, tmp_path):
    for name in names:
        put(tmp_path, name)
    for broken in tmp_path.glob("**/broken.parquet"):
        broken.write_bytes(b"PAR1")
    with pytest.raises(TableError, match=message):
        open_table(tmp_path)


def test_a_model_of_a_partitioned_folder_predicts_one(tmp_path):
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"x": random.normal(size=60), "c": ["red", "blue", "blue"] * 20, "y": ["a", "b"] * 30})
    rows.to_parquet(tmp_path / "t", partition_cols=["c"], index=False)
    model = sensorium.fit(tmp_path / "t", "y", epochs=1, progress=False)
    assert model.columns == {"x": "number", "c": "category"}
    found = model.predictions(tmp_path / "t")
    assert len(found) == 60 and not found.problems
