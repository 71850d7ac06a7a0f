"""The benchmark of selection criteria: offline choices are those that the training would have made."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from sensorium.train import Epoch, History

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from _criteria import CRITERIA, choose
from _real_tables import RealTable
from _selection_cell import development_rows, measure
from _selection_report import MODES, known_of, report


def series(seed=0, epochs=30):
    random = np.random.default_rng(seed)
    loss = 1 + np.abs(np.linspace(-1, 1, epochs)) + random.normal(0, 0.1, epochs)
    metric = np.round(1 - loss / 3 + random.normal(0, 0.02, epochs), 2)
    found = {"metric": metric, "error": np.full(epochs, 0.02), "loss": loss, "log_loss": loss, "scaled": loss}
    return found | {"hot": loss, "relative": loss / 2}


@pytest.mark.unit
@pytest.mark.parametrize(("criterion", "select_by"), [("metric", "metric"), ("hot_ema", "log_loss")])
@pytest.mark.parametrize("seed", range(5))
def test_choices_are_those_of_the_training(criterion, select_by, seed):
    known, history = series(seed), History("accuracy", select_by)
    for number, (metric, loss) in enumerate(zip(known["metric"], known["loss"], strict=True), 1):
        history.epochs.append(Epoch(number, 0.0, loss, metric, 0.1, 1.0, 1.0, loss))
    best = max(range(1, 31), key=lambda number: (history.rank(number), -number))
    assert choose(criterion, known)[0] + 1 == best


@pytest.mark.unit
@pytest.mark.parametrize("criterion", CRITERIA)
def test_patience_cuts_the_series(criterion):
    known = series()
    place, done = choose(criterion, known, 4)
    assert place < done <= 30
    if criterion != "last":
        assert done == 30 or done - (place + 1) >= 4
    same, until = choose(criterion, known, 4, "metric")
    assert until == choose("metric", known, 4)[1] and same < until


def cell(seed, table):
    epochs = [
        {
            "temperature": 2.0 if number % 2 else 0.5,
            "validation": {"metric": m, "error": 0.02, "loss": x, "log_loss": x, "scaled": x - 0.1},
            "test": {"metric": m, "table_metric": m, "log_loss": x, "scaled": x, "ece_scaled": 0.1},
        }
        for number, (m, x) in enumerate(zip(series(seed)["metric"], series(seed)["loss"], strict=True))
    ]
    return {"table": table, "seed": seed, "rows": {"train": 900}, "constant": 1.2, "epochs": epochs}


@pytest.mark.unit
def test_the_report_has_no_gain_of_todays_criterion_over_itself():
    cells = [cell(seed, table) for table in ("a", "b") for seed in (0, 1)]
    for mode in MODES:
        rows = report(cells, mode)
        assert rows.keys() == CRITERIA.keys()
        assert all(rows["metric"][name]["value"] == 0 for name in ("table_metric", "scaled"))
        assert rows["scaled"]["scaled"]["tables"] == 2
    assert report(cells, "all epochs")["scaled"]["scaled"]["value"] >= 0, "the judged rows are the validation rows"
    hot = known_of(cells[0])["hot"]
    assert (hot[::2] == known_of(cells[0])["scaled"][::2]).all() == (
        hot[1::2] == known_of(cells[0])["log_loss"][1::2]
    ).all()


SPEC = RealTable("made", "label", "accuracy", {"price": "number"}, "grouped", "author", "author")


@pytest.fixture
def data(tmp_path):
    random = np.random.default_rng(0)
    label = random.integers(0, 2, 240)
    cells = {
        "price": random.normal(label, 1.0).tolist(),
        "author": random.integers(0, 80, 240).tolist(),
        "label": ["yes" if code else "no" for code in label],
        "split": random.permutation(["train"] * 140 + ["val"] * 50 + ["test"] * 50).tolist(),
    }
    (tmp_path / "made").mkdir()
    csv.write_csv(pa.table(cells), tmp_path / "made" / "table.csv")
    return tmp_path


def test_groups_stay_together_and_test_rows_are_never_opened(data):
    for seed in (0, 1):
        table, _, split = development_rows(SPEC, data, seed)
        assert set(table["split"].to_pylist()) == {"train", "val"} and len(table) == 190
        parts = {
            name: {a for a, s in zip(table["author"].to_pylist(), split, strict=True) if s == name}
            for name in set(split)
        }
        assert parts.keys() == {"train", "validation", "test"}
        assert not parts["train"] & parts["test"] and not parts["validation"] & parts["test"]


@pytest.mark.slow
def test_a_cell_has_the_figures_of_every_epoch(data, monkeypatch):
    monkeypatch.chdir(data)
    found = measure(SPEC, data, 0)
    assert len(found["epochs"]) == 60
    last = found["epochs"][-1]
    assert last["validation"].keys() == last["test"].keys() >= {"metric", "error", "loss", "log_loss", "scaled"}
    assert last["validation"]["scaled"] <= last["validation"]["log_loss"] + 0.05
