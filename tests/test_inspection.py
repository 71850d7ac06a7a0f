"""A table seen before training: what each column is taken for and why, and what to look at."""

import json
from datetime import date

import pytest

import sensorium
from sensorium.errors import SchemaError
from sensorium.testing import make_table


def by_name(found):
    return {column.name: column for column in found.columns}


@pytest.fixture(scope="module")
def seen(made):
    return sensorium.inspect(made, "label")


def test_it_says_what_fit_will_do(seen, made, run):
    model = sensorium.load(run)
    assert {c.name: c.modality for c in seen.columns if c.modality} == model.columns
    assert seen.target["task"] == model.task
    assert seen.split["rows"] == model.card["rows"]
    assert {c.name: (c.reason, c.caution) for c in seen.columns} == {
        plan["name"]: (plan["reason"], plan["caution"]) for plan in model.card["columns"]
    }


def test_gaps_and_examples_are_those_of_the_table(seen, made):
    import pandas as pd

    table = pd.read_csv(made)
    assert [c.name for c in seen.columns] == list(table.columns)
    for name, column in by_name(seen).items():
        assert column.rows == len(table)
        assert column.missing == table[name].isna().sum()
        assert column.distinct == table[name].nunique()
        if name == "text":
            assert column.examples and set(column.examples) <= set(table[name].dropna())


def test_everything_has_a_reason(seen):
    assert all(column.reason for column in seen.columns)
    assert seen.target["reason"]
    assert by_name(seen)["label"].reason == "the target"


def test_without_a_target_the_label_is_a_column_like_others(made):
    found = sensorium.inspect(made)
    assert (found.target, found.split) == (None, None)
    assert by_name(found)["label"].modality == "category"


ROWS = 60
ODD = {
    "number": list(range(7, 7 + 7 * ROWS, 7)),
    "id": [f"K{i:05d}X" for i in range(ROWS)],
    "same": ["one"] * ROWS,
    "nothing": [None] * ROWS,
    "grade": [i % 4 for i in range(ROWS)],
    "age": ["12", "13", "14", "50+", "early 40s", "15"] * (ROWS // 6),
    "split": ["train", "train", "val", "test"] * (ROWS // 4),
    "y": [0.5 * i for i in range(ROWS)],
}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("id", "identifier"),
        ("same", "always 'one'"),
        ("nothing", "every cell is missing"),
        ("split", "names the split"),
    ],
)
def test_columns_that_are_left_out_say_why(name, reason):
    column = by_name(sensorium.inspect(ODD, "y"))[name]
    assert column.modality is None
    assert reason in column.reason


def test_a_guess_that_may_be_wrong_says_how_to_mend_it():
    column = by_name(sensorium.inspect(ODD, "y"))["age"]
    other = {"number": "category", "category": "number"}[column.modality]
    assert f"--modality age={other}" in column.caution
    mended = by_name(sensorium.inspect(ODD, "y", config={"modalities": {"age": other}}))["age"]
    assert (mended.modality, mended.caution) == (other, "")


@pytest.mark.parametrize(
    ("target", "task"),
    [("y", "regression"), ("same_or_not", "binary"), ("grade", "multiclass"), ("tags", "multilabel")],
)
def test_the_targets_task_is_told(target, task):
    table = ODD | {"same_or_not": ["no", "yes"] * (ROWS // 2), "tags": [["a"], ["a", "b"], []] * (ROWS // 3)}
    assert sensorium.inspect(table, target).target["task"] == task


def test_cells_that_cannot_be_read_are_counted_with_their_rows(tmp_path):
    table = make_table(tmp_path, rows=40, modalities=["image", "text"])
    (tmp_path / "image" / "4.png").write_bytes(b"")
    (tmp_path / "image" / "9.png").unlink()
    (line,) = [line for line in by_name(sensorium.inspect(table))["image"].unreadable if "empty" in line]
    assert "1 ×" in line and "row 4" in line and "image/4.png" in line
    assert any("row 9" in line for line in by_name(sensorium.inspect(table))["image"].unreadable)
    assert by_name(sensorium.inspect(table))["text"].unreadable == []


def test_any_table_becomes_json():
    table = {
        "day": [date(2025, 1, 1 + i % 28) for i in range(ROWS)],
        "bytes": [bytes([i, 255]) for i in range(ROWS)],
        "tags": [["a", "b"][: i % 3] for i in range(ROWS)],
        "gaps": [float("nan"), float("inf"), None, 1.0] * (ROWS // 4),
        "text": ["ein\u2028zwei \U0001f600 " * (1 + i) for i in range(ROWS)],
        "y": [i % 3 for i in range(ROWS)],
    }
    found = sensorium.inspect(table, "y").to_json()
    assert json.loads(json.dumps(found, allow_nan=False))["rows"] == ROWS
    longest = max(len(example) for column in found["columns"] for example in column["examples"])
    assert longest < 120  # no page of text in a report


def test_a_target_that_is_not_there_is_refused(made):
    with pytest.raises(SchemaError, match="no column 'lable'") as caught:
        sensorium.inspect(made, "lable")
    assert "'label'" in caught.value.cure
