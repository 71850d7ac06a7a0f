"""A model is scored by slices of a table and by unit, whatever its members and its task are."""

from dataclasses import replace

import numpy as np
import pytest

import sensorium
from sensorium.errors import SchemaError
from sensorium.findings import Problems
from sensorium.model.tower_features import tower_features
from sensorium.predictor._tables import open_rows, prepare_chunks
from sensorium.report import evaluation_text
from sensorium.runtime.progress import reporter

ROWS = 150
WORDS = np.array(["one", "two", "four", "five", "six", "seven", "eight", "nine", "ten", "red"])
SMALL = {"preset": "fast", "epochs": 2, "width": 8, "progress": False}


def made(rows=ROWS, seed=0):
    """Rows of patients; the note tells the label but in the ward B."""
    random = np.random.default_rng(seed)
    patient = np.arange(rows) // 3
    label = np.array(["ill", "well"])[random.integers(0, 2, rows)[patient]]
    ward = random.choice(list("ABC"), rows)
    told = np.where(ward == "B", "unsaid", np.where(label == "ill", "fever", "fine"))
    return {
        "x": random.normal(np.where(label == "ill", 0.5, 0)),
        "note": [f"{' '.join(random.choice(WORDS, 5))} {word}" for word in told],
        "ward": ward.tolist(),
        "age": random.normal(50, 15, rows).round(1),
        "patient": [f"p{number}" for number in patient],
        "dose": (label == "ill") * 10.5 + np.repeat(random.integers(1, 9, rows // 3), 3),
        "y": label.tolist(),
    }


@pytest.fixture(scope="module")
def table():
    return made()


@pytest.fixture(scope="module")
def model(table):
    return sensorium.fit(table, "y", columns=["x", "note"], modalities={"note": "text"}, **SMALL)


def text_of(evaluation):
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as capture:
        console.print(evaluation_text(evaluation))
    return capture.get()


def test_columns_need_not_be_those_of_the_model(model, table):
    table = {**table, "x": [None, *table["x"][1:]]}
    found = model.evaluate(table, "all", slices=["ward", "present"])
    ward, present = found.slices.columns["ward"], found.slices.columns["present"]
    for own in ward:
        rows = np.flatnonzero(np.array(table["ward"]) == own.value[0])
        alone = model.evaluate({name: [cells[row] for row in rows] for name, cells in table.items()}, "all")
        assert own.metrics == pytest.approx(alone.metrics, nan_ok=True)
    assert {own.value[0]: own.n for own in present} == {"x + note": ROWS - 1, "note": 1}
    assert sum(own.n for own in ward) == ROWS
    assert "1 (few)" in text_of(found) and "roc_auc by ward" in str(found)


def test_search_examines_columns_pairs_modalities_and_clusters(model, table):
    table = {**table, "id": list(range(ROWS)), "x": [None if row % 5 == 0 else x for row, x in enumerate(table["x"])]}
    found = model.evaluate(table, "all", find_slices=True)
    search = found.slices.search
    assert search.columns == ["x", "ward", "age", "patient", "dose", "present", "note"]  # not `id` and `y`
    assert search.examined > 20 and search.least == 30
    assert found.to_json()["slices"]["search"]["examined"] == search.examined
    assert "slices" in text_of(found)


def test_errors_name_the_column(model, table):
    with pytest.raises(SchemaError, match="the table has no column 'wards'"):
        model.evaluate(table, "all", slices="wards")
    with pytest.raises(SchemaError, match=f"column 'note' has {len({*table['note']})} different values"):
        model.evaluate(table, "all", slices="note")
    with pytest.raises(SchemaError, match="the table has no column 'person'"):
        model.evaluate(table, "all", by="person")
    with pytest.raises(SchemaError, match="'y' is the target"):
        model.evaluate(table, "all", by="y")
    with pytest.raises(SchemaError, match="column 'empty' has no value"):
        model.predictions({**table, "empty": [None] * ROWS}, by="empty")


def test_a_column_called_present_is_read_and_reported(model, table):
    found = model.evaluate({**table, "present": ["yes", "no", "no"] * 50}, "all", slices="present")
    assert [own.value for own in found.slices.columns["present"]] == [("no",), ("yes",)]
    assert any("slices are those of this column" in problem.reason for problem in found.problems)


def test_units_have_one_prediction_and_count_once(model, table):
    table = {**table, "patient": ["", *table["patient"][1:]]}
    found = model.evaluate(table, "all", by="patient", slices="ward")
    units = np.array([-1, *(np.arange(1, ROWS) // 3)])
    means = np.stack([model.predict_proba(table)[units == unit].mean(0) for unit in dict.fromkeys(units.tolist())])
    predicted = [model.labels[place] for place in means.argmax(1)]
    truth = [table["y"][np.flatnonzero(units == unit)[0]] for unit in dict.fromkeys(units.tolist())]
    assert found.metrics["accuracy"] == pytest.approx(np.mean(np.array(predicted) == truth))
    assert (found.n, found.by.column, found.by.rows) == (51, "patient", ROWS)
    assert [p.row for p in found.problems if p.reason.startswith("no value")] == [0]
    assert sum(own.n for own in found.slices.columns["ward"]) == 51
    assert "(several values)" in [own.value[0] for own in found.slices.columns["ward"]]
    assert "51 units by patient, from 150 rows" in text_of(found)
    assert str(found).startswith("51 units by patient (150 all rows)")
    assert found.to_json()["by"] == {"column": "patient", "rows": ROWS}
    predictions = model.predictions(table, by="patient", keep=["ward", "y"])
    assert predictions.scores == pytest.approx(means)
    rows = predictions.to_arrow()
    assert rows.column_names[:4] == ["rows", "patient", "ward", "y"]
    assert rows.column("rows").to_pylist()[:3] == [1, 2, 3]
    assert rows.column("y").to_pylist() == truth
    assert rows.column("problem")[0].as_py().startswith("row 0: patient: no value")
    assert any(problem.column == "ward" and "different values" in problem.reason for problem in predictions.problems)
    assert str(predictions).startswith("51 units; 1 unit (2%) with a problem")


def test_predictions_of_units_of_no_rows_have_their_columns(model):
    empty = model.predictions({"x": [], "note": [], "patient": []}, by="patient")
    assert len(empty) == 0 and {"rows", "patient", "prediction"} <= {*empty.to_arrow().column_names}


def test_subsets_of_modalities_are_scored_by_unit(model, table):
    found = model.evaluate(table, "all", by="patient", subsets=True)
    assert [result.rows for result in found.subsets.results] == [50, 50, 50]
    assert found.subsets.results[-1].value == pytest.approx(found.metrics["roc_auc"])


def test_amounts_and_several_targets_are_averaged(table):
    both = sensorium.fit(table, ["dose", "y"], columns=["x", "ward"], **SMALL)
    found = both.evaluate(table, "all", by="patient", slices="ward", find_slices=True)
    rows = both.predictions(table).scores
    assert both.predictions(table, by="patient").scores == pytest.approx(rows.reshape(50, 3, -1).mean(1))
    assert found.n == 50 and found.slices.search.loss == "relative loss"
    errors = rows[:, 0].reshape(50, 3).mean(1) - np.array(table["dose"])[::3]
    assert found.metrics["dose.rmse"] == pytest.approx(np.sqrt(np.square(errors).mean()))


class Words:
    """Member that reads the notes and is no network."""

    def __init__(self):
        self.towers = self.tower_columns = {"note": ["note"]}


def test_features_are_those_of_the_network_or_words_if_there_is_none(model, table):
    fitted, report = model.fitted, reporter(False)
    (prepared,) = prepare_chunks(fitted, open_rows(fitted, table, report), Problems(), report)
    network = tower_features(fitted, prepared, ["note"])["note"]
    assert network.shape[0] == ROWS and np.isfinite(network).all()
    bare = replace(fitted, members=[Words()], member_weights=[1.0])
    words = tower_features(bare, prepared, ["note"])["note"]
    assert words.shape == (ROWS, 4096)
    assert words.sum(1).min() >= 5  # words, and pairs of them
