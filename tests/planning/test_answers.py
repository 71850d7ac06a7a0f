"""A run keeps what its model answered for the validation and test rows."""

import numpy as np
import pytest
from pyarrow import parquet

import sensorium

ROWS = 80
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=ROWS)
COLUMNS = {"x": [None if row % 9 == 0 else value for row, value in enumerate(X)], "kind": ["red", "blue"] * (ROWS // 2)}
TARGETS = {
    "binary": np.where(X > 0, "yes", "no"),
    "multiclass": np.array(["a", "b", "c"])[np.digitize(X, [-0.5, 0.5])],
    "regression": X * 3,
    "multilabel": [["up"] if value > 0 else ["down", "low"] for value in X],
}


@pytest.mark.parametrize("task", TARGETS)
def test_answers_are_those_of_the_model_that_is_kept(task, tmp_path):
    table = {**COLUMNS, "y": TARGETS[task]}
    model = sensorium.fit(table, "y", task=task, out=tmp_path, epochs=2, progress=False)
    found = parquet.read_table(tmp_path / "predictions.parquet")
    rows, split = found["row"].to_numpy(), np.array(found["split"].to_pylist())
    expected = parquet.read_table(tmp_path / "split.parquet")["split"].to_pylist()
    assert [expected[row] for row in rows] == split.tolist() and set(split) == {"validation", "test"}
    truth = [table["y"][row] for row in rows]
    kept = found["truth"].to_pylist()
    assert kept == pytest.approx(truth) if task == "regression" else list(map(sorted, kept)) == list(map(sorted, truth))
    answers = model.predictions({name: [cells[row] for row in rows] for name, cells in COLUMNS.items()}).to_arrow()
    for name in answers.column_names:
        if name.startswith("probability_") or (task == "regression" and name == "prediction"):
            assert found[name].to_pylist() == pytest.approx(answers[name].to_pylist(), abs=1e-5)
    assert found["present.x"].to_pylist() == [row % 9 != 0 for row in rows]
    if task in ("binary", "multiclass"):
        right = [
            a == b for a, b, part in zip(kept, found["prediction"].to_pylist(), split, strict=True) if part == "test"
        ]
        assert np.mean(right) == pytest.approx(model.test.metrics["accuracy"])


def test_of_several_targets_each_has_its_truth(tmp_path):
    table = {**COLUMNS, "up": TARGETS["binary"], "size": TARGETS["regression"]}
    sensorium.fit(table, ["up", "size"], out=tmp_path, epochs=1, progress=False)
    found = parquet.read_table(tmp_path / "predictions.parquet")
    assert found["up.truth"].to_pylist() == [table["up"][row] for row in found["row"].to_pylist()]
    assert found["size.truth"].to_pylist() == pytest.approx([table["size"][row] for row in found["row"].to_pylist()])
    assert {"up.prediction", "size.prediction", "up.probability_yes"} <= {*found.column_names}


def test_a_target_called_as_the_columns_of_presence_keeps_its_truth(tmp_path):
    table = {"truth": X, "present": TARGETS["binary"], "w": X * 2}
    sensorium.fit(table, ["present", "w"], out=tmp_path, epochs=1, progress=False)
    found = parquet.read_table(tmp_path / "predictions.parquet")
    assert found["present.truth"].to_pylist() == [table["present"][row] for row in found["row"].to_pylist()]
    assert all(found["present.truth_"].to_pylist())


def test_without_rows_to_judge_by_the_table_is_empty(tmp_path):
    split = {"validation": 0.0, "test": 0.0}
    sensorium.fit({**COLUMNS, "y": X}, "y", out=tmp_path, epochs=1, progress=False, split=split)
    assert parquet.read_table(tmp_path / "predictions.parquet").num_rows == 0
