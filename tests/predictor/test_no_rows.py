"""A table without rows gives a result without rows, of the types that a row would have."""

import pandas as pd
import pyarrow as pa
import pytest
from calls_of_predictor import fitted

from sensorium.errors import DataError, TableError

EMPTY = {
    "a list": list,
    "a dict of columns": lambda: {"x": [], "words": []},
    "a frame": pd.DataFrame,
    "a frame with columns": lambda: pd.DataFrame({"x": pd.Series([], dtype=float), "words": pd.Series([], dtype=str)}),
    "arrow": lambda: pa.table({"x": pa.array([], pa.float64())}),
    "a header": lambda: "x,words\n",
}


@pytest.fixture(scope="module")
def model():
    return fitted()


@pytest.mark.parametrize("name", EMPTY)
def test_no_rows_give_no_predictions_of_the_same_types(name, model, tmp_path):
    table = EMPTY[name]()
    if isinstance(table, str):
        (tmp_path / "t.csv").write_text(table)
        table = tmp_path / "t.csv"
    one = model.predictions({"x": 1.5}).to_arrow()
    found = model.predictions(table)
    assert found.to_arrow().schema == one.schema and len(found) == 0
    assert model.predict(table).shape == (0,) and model.predict(table).dtype == model.predict({"x": 1.5}).dtype
    assert model.predict_proba(table).shape == (0, 2)
    assert str(found).startswith("0 rows; no row with a problem")


@pytest.mark.parametrize("content", ["", "\n", "\ufeff"])
def test_an_empty_file_of_json_lines_has_no_rows(content, model, tmp_path):
    (tmp_path / "t.jsonl").write_text(content)
    assert len(model.predictions(tmp_path / "t.jsonl", keep="id")) == 0
    with pytest.raises(TableError, match="no rows"):
        model.evaluate(tmp_path / "t.jsonl")


def test_a_header_of_another_table_is_refused(model, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(DataError, match="none of the model's columns"):
        model.predict(tmp_path / "t.csv")


def test_missing_columns_of_an_empty_table_are_reported(model):
    (said,) = model.predictions({"x": []}).problems
    assert said.column == "words" and "no such column" in said.reason


def test_other_tasks_have_their_types_without_rows():
    z, marks = [row * 0.37 for row in range(80)], [["u"], ["v", "u"]] * 40
    numbers = fitted("z", {"z": z})
    assert numbers.predict([]).dtype == float and numbers.predictions([]).scores.shape == (0,)
    several = fitted(["y", "z"], {"z": z})
    assert several.predict([]).shape == (0,)
    one = several.predictions({"x": 1.0}).to_arrow().schema
    assert several.predictions([]).to_arrow().schema == one
    lists = fitted("marks", {"marks": marks})
    assert lists.predictions([]).to_arrow().schema.field("prediction").type == pa.list_(pa.string())


def test_fit_and_evaluate_still_need_rows(model):
    with pytest.raises(TableError, match="no rows"):
        model.evaluate([])
