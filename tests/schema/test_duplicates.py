"""`fit` reports data leakage between splits: equal rows, equal texts, values that tell the label."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

import sensorium
from sensorium.schema.digests import digest_ids, is_hashed
from tiers import tiered

FAST = {"epochs": 1, "width": 8, "progress": False}


def table(rows=120):
    random = np.random.default_rng(0)
    cells = {"x": random.normal(size=rows), "z": random.normal(size=rows), "y": random.choice(["a", "b"], rows)}
    return pd.DataFrame(cells | {"split": ["train"] * (rows - 40) + ["validation"] * 20 + ["test"] * 20})


def told(frame, **settings):
    return sensorium.fit(frame, "y", **FAST, **settings).card["notices"]


def test_equal_rows_in_several_splits_are_counted():
    frame = table()
    frame.loc[[100, 101, 80], ["x", "z"]] = frame.loc[[0, 1, 2], ["x", "z"]].to_numpy()
    (notice,) = [each for each in told(frame) if "duplicate" in each["reason"]]
    assert "2 test rows also in train" in notice["reason"] and "1 validation row also in train" in notice["reason"]
    assert "column 'split'" in notice["cure"]
    (copies,) = sensorium.inspect(frame, "y").copies
    assert [(each["rows"], each["of"]) for each in copies.across] == [(1, "validation"), (2, "test")]


def test_duplicates_within_a_split_are_no_leak():
    frame = table()
    frame.loc[[3, 4, 5], ["x", "z"]] = frame.loc[[0, 1, 2], ["x", "z"]].to_numpy()
    frame.loc[100, "x"] = frame.loc[0, "x"]  # one column alone
    assert not [each for each in told(frame) if "duplicate" in each["reason"]]


def test_equal_texts_are_reported_if_other_columns_differ(capsys):
    frame = table().assign(note=[f"the patient number {row} came back after {row * 7} days" for row in range(120)])
    frame.loc[110, "note"] = frame.loc[7, "note"]
    sensorium.fit(frame.drop(columns="split"), "y", epochs=1, width=8, split={"test": 0.3})
    said = [line for line in capsys.readouterr().err.splitlines() if "duplicate" in line]
    (inspected,) = sensorium.inspect(frame.drop(columns="split"), "y", config={"split": {"test": 0.3}}).copies
    assert len(said) == bool(inspected.across)
    (notice,) = [each for each in told(frame) if "duplicate" in each["reason"]]
    assert notice["column"] == "note" and "1 test row also in train" in notice["reason"]


@pytest.mark.parametrize("times", [2, 3])
def test_a_table_that_was_repeated_is_reported(times):
    frame = pd.concat([table().drop(columns="split")] * times, ignore_index=True)
    (notice,) = [each for each in told(frame) if "duplicate" in each["reason"]]
    assert "test rows also in train" in notice["reason"] and not notice["column"]
    (copies,) = sensorium.inspect(frame, "y").copies
    assert copies.groups == 120 and not copies.column


@pytest.mark.parametrize(("times", "more"), tiered([(3, 1), (2, 75)], [(2, 1), (5, 1)]))
def test_a_table_that_was_repeated_in_part_is_reported(times, more):
    once = table().drop(columns="split")
    frame = pd.concat([*[once] * times, once[:more]], ignore_index=True)
    (notice,) = [each for each in told(frame) if "duplicate rows" in each["reason"]]
    assert "test rows also in train" in notice["reason"]
    (copies,) = sensorium.inspect(frame, "y").copies
    assert copies.groups == 120 and not copies.column


def test_rows_drawn_with_replacement_are_reported():
    frame = table(300).drop(columns="split").sample(1500, replace=True, random_state=0)
    (copies,) = sensorium.inspect(frame, "y").copies
    assert copies.rows > 1400 and not copies.column


@pytest.mark.parametrize("repeated", [1, 4])
def test_equal_rows_of_a_design_of_few_levels_are_no_duplicates(repeated):
    """Each combination of 5, 6 and 4 levels occurs equally often, with a number that is as coarse."""
    grid = np.array(list(np.ndindex(5, 6, 4)) * 2 * repeated)
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"plot": grid[:, 0].astype(str), "soil": grid[:, 1].astype(str), "dose": grid[:, 2] / 2})
    frame["y"] = random.choice(["a", "b"], len(frame))
    assert not sensorium.inspect(frame, "y").copies


def test_equal_rows_of_columns_that_follow_one_category_are_no_duplicates():
    random = np.random.default_rng(0)
    code = random.integers(0, 50, 1000)
    frame = pd.DataFrame({"code": [f"c{n}" for n in code], "name": [f"n{n}" for n in code], "region": code % 7})
    frame["y"] = random.choice(["a", "b"], len(frame))
    assert not sensorium.inspect(frame, "y").copies


def test_tables_of_a_few_categories_are_not_duplicates():
    random = np.random.default_rng(0)
    frame = table().assign(x=random.choice(["p", "q"], 120), z=random.choice(["r", "s"], 120))
    assert not [each for each in told(frame) if "duplicate" in each["reason"]]


@pytest.mark.parametrize("strength", [1.0, 0.85])
def test_a_column_that_predicts_the_label_is_reported_once(strength):
    random = np.random.default_rng(0)
    frame = table(300)
    frame["code"] = np.where(random.random(300) < strength, frame["y"].map({"a": "k", "b": "m"}), "k")
    notices = [each for each in told(frame) if each["column"] == "code" and "--exclude code" in each["cure"]]
    assert len(notices) == 1
    (advice,) = [each for each in sensorium.inspect(frame, "y").advice if each["column"] == "code"]
    assert "code alone predicts " in advice["reason"] and "all but" not in advice["reason"]


CELLS = {
    "bytes": [b"ab", b"", None, b"abc"],
    "lists": [[1.0, 2.5], [1.0], [], None, [1.0, None], [None, 1.0], [1.0, 0.0]],
    "lists of lists": [[[1], [2]], [[1, 2]], [[], [1]], [None, [1]], [[1]], None],
    "lists of words": [["ab", "c"], ["a", "bc"], ["abc"], [""], [None], []],
    "objects": [{"a": b"x", "b": "t"}, {"a": b"xt", "b": ""}, {"a": b"x", "b": None}, None],
    "flags": [[True, False], [True], [False, True]],
    "nothing": [[None], [None, None], None],
}


@pytest.mark.unit
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("start", [0, 1, 4])
def test_cells_of_bytes_lists_and_objects_are_told_apart_by_their_content(kind, start):
    cells = pa.array(CELLS[kind] * 3)[start:]
    assert is_hashed(cells.type)
    numbers = dict[str, int]()
    wanted = [-1 if cell is None else numbers.setdefault(str(cell), len(numbers)) for cell in cells.to_pylist()]
    assert digest_ids(cells).tolist() == wanted


@pytest.mark.parametrize("of", ["image", pytest.param("vector", marks=pytest.mark.slow)])
def test_equal_cells_are_compared_however_large_they_are(of):
    random = np.random.default_rng(0)
    once = [bitmap(random) if of == "image" else random.normal(size=40_000) for _ in range(30)]
    frame = pd.DataFrame({"cell": once * 2, "y": ["a", "b"] * 30, "split": ["train"] * 30 + ["test"] * 30})
    assert sum(map(len, once)) * 2 * (1 if of == "image" else 8) > 2**24
    (notice,) = [each for each in told(frame, modalities={"cell": of}) if "duplicate" in each["reason"]]
    assert "27 test rows also in train, 3 test rows also in validation" in notice["reason"]


def bitmap(random):
    stream = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (320, 320, 3), dtype=np.uint8)).save(stream, "BMP")
    return stream.getvalue()
