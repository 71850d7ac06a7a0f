"""The folder of a run tells how the model came about, and lets one make it again."""

import json

import numpy as np
import pytest
import yaml
from pyarrow import parquet

import sensorium
from sensorium.artifact.run_folder import check_folder
from sensorium.errors import ArtifactError, ConfigError
from sensorium.table import open_table
from sensorium.train.steps import Steps

CONTENTS = ["config.yaml", "history.json", "metrics.json", "model"]
CONTENTS += ["predictions.parquet", "problems.jsonl", "run.json", "split.parquet"]


def read(run, name):
    return json.loads((run / name).read_text())


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def cells(run):
    return [json.loads(line) for line in (run / "problems.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def faulty():
    """Row 3 has a number that is none, row 7 no label, row 9 nothing at all."""
    table = {"x": [f"{i % 10}.5" for i in range(60)], "note": [f"seen {'ab'[i % 2]} {i % 7}" for i in range(60)]}
    table |= {"y": [["low", "high"][i % 2] for i in range(60)]}
    table["x"][3], table["y"][7], table["x"][9], table["note"][9] = "broken", None, None, None
    return table


def test_everything_is_where_the_documentation_says(run):
    from sensorium.artifact import run_folder as module

    assert names(run) == CONTENTS
    for name in CONTENTS:
        assert f"\n{name}" in module.__doc__


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_the_split_is_the_one_that_evaluate_uses(split, run, made):
    model, table = sensorium.load(run), open_table(made)
    parts = parquet.read_table(run / "split.parquet").to_pydict()
    assert parts["row"] == list(range(len(table)))
    rows = np.flatnonzero(np.array(parts["split"]) == split)
    expected = model.evaluate(table.take(rows), "all")
    assert model.evaluate(made, split).to_json() == expected.to_json()


def test_the_evaluation_of_a_fit_is_that_of_its_test_rows(tabular):
    model = sensorium.fit(tabular, "label", epochs=1, progress=False)
    again = model.evaluate(tabular)
    assert model.test.to_json() == again.to_json()
    assert model.test.rows == again.rows == "test rows"


def test_rows_without_a_label_are_in_no_split(faulty, tmp_path):
    sensorium.fit(faulty, "y", out=tmp_path / "run", epochs=1, progress=False)
    parts = parquet.read_table(tmp_path / "run" / "split.parquet")["split"].to_pylist()
    assert [row for row, part in enumerate(parts) if part is None] == [7]


def test_the_metrics_are_those_of_the_model_that_was_kept(run, made):
    found, model = read(run, "metrics.json"), sensorium.load(run)
    assert set(found) == {"validation", "test"}
    for split in found:
        assert found[split] == model.evaluate(made, split).to_json()


def test_the_history_ends_with_the_best_epoch_kept(made, tmp_path):
    train = {"epochs": 3, "select_by": "metric"}
    sensorium.fit(made, "label", train=train, out=tmp_path / "run", progress=False)
    history, metrics = (read(tmp_path / "run", name) for name in ("history.json", "metrics.json"))
    epochs = history["epochs"]
    assert [epoch["number"] for epoch in epochs] == [1, 2, 3]
    best = epochs[history["best"] - 1]
    assert best["metric"] == max(epoch["metric"] for epoch in epochs)
    assert metrics["validation"]["metrics"][history["watched"]] == pytest.approx(best["metric"], abs=1e-6)
    assert all(np.isfinite(epoch["loss"]) and epoch["seconds"] > 0 for epoch in epochs)


@pytest.mark.parametrize("split", [{"validation": 0.0}, {"validation": 0.0, "test": 0.0}])
def test_what_is_not_defined_without_validation_rows_is_null(split, tabular, tmp_path):
    model = sensorium.fit(tabular, "label", out=tmp_path, epochs=2, split=split, progress=False)
    history = read(tmp_path, "history.json")
    assert [epoch["metric"] for epoch in history["epochs"]] == [None, None]
    assert history["best"] == 2  # nothing speaks for an earlier epoch
    assert set(read(tmp_path, "metrics.json")) == ({"test"} if "test" not in split else set())
    assert (sensorium.load(tmp_path).predict_proba(tabular) == model.predict_proba(tabular)).all()


@pytest.mark.slow
def test_its_settings_make_the_same_model_again(run, made, tmp_path):
    sensorium.fit(made, config=run / "config.yaml", out=tmp_path / "again", progress=False)
    for name in ("weights.safetensors", "arrays.safetensors"):
        assert (tmp_path / "again" / "model" / name).read_bytes() == (run / "model" / name).read_bytes()
    assert (tmp_path / "again" / "config.yaml").read_bytes() == (run / "config.yaml").read_bytes()


def test_the_settings_have_every_default_filled_in(run):
    """A later version with other defaults then still does the same."""
    from sensorium.config import Config

    written = yaml.safe_load((run / "config.yaml").read_text())
    assert set(written) == set(Config.model_fields)
    for group in ("table", "split", "train"):
        assert set(written[group]) == set(type(getattr(Config(), group)).model_fields)


def test_every_problem_is_kept_with_row_and_reason(faulty, tmp_path):
    model = sensorium.fit(faulty, "y", out=tmp_path / "run", epochs=1, progress=False)
    found = {(cell["row"], cell["column"]): cell for cell in cells(tmp_path / "run")}
    assert {(3, "x"), (7, "y"), (9, "")} <= set(found)
    assert found[3, "x"]["value"] == "broken"
    assert all(cell["reason"] for cell in found.values())
    assert len(cells(tmp_path / "run")) == len(model.fit_problems) == model.card["problems"]


def test_a_saved_model_keeps_the_problems_of_its_fit_without_the_cells(faulty, tmp_path):
    def kept(model):
        return sorted((p.place(), p.column, p.reason, p.cure) for p in model.fit_problems)

    model = sensorium.fit(faulty, "y", epochs=1, progress=False)
    model.save(tmp_path / "model.zip")
    again = sensorium.load(tmp_path / "model.zip")
    assert any(row >= 0 for row, *_ in kept(model))
    assert kept(again) == kept(model)
    assert not any(problem.value for problem in again.fit_problems)


def test_a_second_run_in_the_folder_replaces_the_first_and_leaves_other_files(tabular, tmp_path):
    for seed in (1, 2):
        (tmp_path / "notes.txt").write_text("mine")
        sensorium.fit(tabular, "label", out=tmp_path, epochs=1, seed=seed, overwrite=True, progress=False)
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["seed"] == 2
    assert sensorium.load(tmp_path).card["split"].count("seed 2") == 1
    assert names(tmp_path) == sorted([*CONTENTS, "notes.txt"])
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_nothing_is_written_without_a_folder(tabular, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sensorium.fit(tabular, "label", epochs=1, progress=False)
    assert names(tmp_path) == []


@pytest.mark.parametrize("learn", [sensorium.fit, sensorium.compare])
def test_a_folder_that_cannot_be_made_is_told_before_the_training(learn, tabular, tmp_path, monkeypatch):
    monkeypatch.setattr(Steps, "run", None)  # would fail with a TypeError
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ArtifactError, match="cannot create the folder") as caught:
        learn(tabular, "label", out=tmp_path / "taken" / "run", epochs=1)
    assert str(tmp_path / "taken" / "run") in caught.value.place


@pytest.mark.parametrize(("learn", "name"), [(sensorium.fit, "model"), (sensorium.compare, "text")])
def test_a_folder_that_would_be_overwritten_is_told_before_the_training(learn, name, tabular, tmp_path, monkeypatch):
    monkeypatch.setattr(Steps, "run", None)
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtifactError, match="already there"):
        learn(tabular, "label", out=tmp_path, epochs=1)
    assert names(tmp_path / name) == ["thesis.txt"]


class Killed(BaseException):
    """Stands for a kill."""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before it saves its model", "as it saves its model", "before its result"])
def test_a_killed_run_leaves_nothing_of_an_earlier_one_beside_its_model(moment, tabular, tmp_path, monkeypatch):
    from sensorium.artifact import run_folder as module

    def fit(seed, width):
        sensorium.fit(tabular, "label", out=tmp_path, epochs=2, seed=seed, width=width, overwrite=True, progress=False)

    fit(0, 16)
    first = {name: (tmp_path / name).read_bytes() for name in CONTENTS if name != "model"}
    weights = (tmp_path / "model" / "weights.safetensors").read_bytes()

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "before its result":
            patch.setattr(module.Run, "save_result", killed)
        elif moment == "as it saves its model":
            patch.setattr(module, "save_fitted", killed)
        else:
            patch.setattr(module.Run, "save_model", killed)
        with pytest.raises(Killed):
            fit(5, 8)
    left = set(names(tmp_path)) - {"checkpoint.safetensors", ".run.json.next"}
    if moment != "as it saves its model":
        assert {name: (tmp_path / name).read_bytes() for name in first} == first
        assert (tmp_path / "model" / "weights.safetensors").read_bytes() == weights
    else:
        assert left == {"model"}
    fit(5, 8)
    assert names(tmp_path) == CONTENTS
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["width"] == 8


def test_a_first_run_killed_before_its_result_leaves_its_best_model_and_continues(tabular, tmp_path, monkeypatch):
    from sensorium.artifact import run_folder as module

    def fit():
        return sensorium.fit(tabular, "label", out=tmp_path, epochs=2, width=8, progress=False)

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module.Run, "save_result", killed)
        with pytest.raises(Killed):
            fit()
    left = set(names(tmp_path)) - {"checkpoint.safetensors"}
    assert left == {"model", "config.yaml", "problems.jsonl", "run.json", "split.parquet"}
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["width"] == 8
    assert sensorium.load(tmp_path).fitted.config.width == 8
    fit()
    assert names(tmp_path) == CONTENTS


def test_what_a_killed_run_left_half_written_is_removed(tabular, tmp_path):
    (tmp_path / ".model.sensorium-new").mkdir()
    (tmp_path / ".model.sensorium-new" / "weights.safetensors").touch()
    for name in (".checkpoint.safetensors.sensorium-new", ".sensorium-lock", ".model.sensorium-lock"):
        (tmp_path / name).touch()
    sensorium.fit(tabular, "label", out=tmp_path, epochs=1, progress=False)
    assert names(tmp_path) == CONTENTS


def test_a_folder_with_what_a_killed_run_left_alone_is_a_run_s_own(tmp_path):
    from sensorium.train.tree import write_tree

    checkpoint, history = tmp_path / "checkpoint.safetensors", tmp_path / "history.json"
    history.write_text("{}")
    checkpoint.write_bytes(b"of another program")
    with pytest.raises(ConfigError, match="no run has written"):
        check_folder(tmp_path)
    write_tree(checkpoint, {"epoch": 1}, {})
    check_folder(tmp_path)
