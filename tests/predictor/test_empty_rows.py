"""n rows in, n predictions out, also for rows without any column."""

import numpy as np
import pandas as pd
import pytest

import sensorium
from sensorium.errors import SensoriumError, TableError

LABELS = ["a", "b", "b"] * 20


@pytest.fixture(scope="module")
def model():
    sizes = np.random.default_rng(0).normal(size=60).tolist()
    return sensorium.fit({"size": sizes, "kind": ["u", "v", "v"] * 20, "y": LABELS}, "y", epochs=1, progress=False)


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ([{}, {}], 2),
        ([{}], 1),
        ({}, 1),
        (pd.DataFrame(index=range(3)), 3),
        (pd.DataFrame(index=["x", "y", "z"]), 3),
        ([{}, {"kind": "u"}], 2),
        ([], 0),
        (pd.DataFrame(), 0),
        ({"kind": []}, 0),
    ],
)
def test_each_row_gets_a_prediction(model, table, rows):
    found = model.predictions(table)
    assert len(found.values) == len(found.to_arrow()) == rows == len(model.predict_proba(table))
    told = [problem.row for problem in found.problems if "average of the training rows" in problem.reason]
    bare = rows - (isinstance(table, list) and {"kind": "u"} in table)
    assert told == list(range(bare))
    assert found.scores[:bare] == pytest.approx(np.tile(model.fitted.prior_scores(1), (bare, 1)))


def test_empty_objects_of_json_lines_are_rows(model, tmp_path):
    (tmp_path / "rows.jsonl").write_text("{}\n{}\n")
    assert len(model.predict(tmp_path / "rows.jsonl")) == 2


def test_a_series_of_columns_that_rows_lack(tmp_path):
    random = np.random.default_rng(1)
    table = {f"t{i}": random.normal(size=60).tolist() for i in range(4)} | {"y": LABELS}
    series = {"table": {"series": {"load": "t*"}}}
    model = sensorium.fit(table, "y", config=series, epochs=1, progress=False)
    assert len(model.predict([{}, {}])) == 2


def test_other_columns_than_those_of_the_model_stay_an_error(model):
    with pytest.raises(SensoriumError, match="none of the model's columns"):
        model.predict([{"wrong": 1}])


def test_nothing_can_be_learned_without_a_column():
    with pytest.raises(TableError, match="2 rows without a column"):
        sensorium.fit([{}, {}], "y")
