"""`fit` reports data leakage between splits: equal rows, equal texts, values that tell the label."""

import numpy as np
import pandas as pd
import pytest

import sensorium

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
