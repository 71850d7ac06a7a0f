"""Commands do not write over what they read, nor over files that are not theirs; they say so before the work."""

import json
import shutil

import pytest
import yaml
from calls import call
from pyarrow import csv, parquet

import sensorium
from sensorium.errors import ConfigError


@pytest.fixture
def table(tabular, tmp_path):
    return shutil.copy(tabular, tmp_path / "t.csv")


def content(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def refused(folder, match, *command):
    """The command is refused, before it trains, and changes nothing."""
    before = content(folder)
    with pytest.raises(ConfigError, match=match):
        call(*command)
    assert content(folder) == before


def fit(table, out, *more):
    return ("fit", table, "--target", "label", "--epochs", 1, "--quiet", "--out", out, *more)


@pytest.mark.parametrize("out", ["t.csv", "./t.csv", "link.csv"])
def test_predict_does_not_replace_its_table(out, run, table, tmp_path):
    (tmp_path / "link.csv").symlink_to("t.csv")
    refused(tmp_path, "would replace the table", "predict", run, table, "-o", tmp_path / out)


@pytest.mark.parametrize("name", ["split.parquet", "predictions.parquet"])
def test_predict_does_not_replace_a_runs_record(name, run, made, tmp_path):
    own = shutil.copytree(run, tmp_path / "run")
    refused(tmp_path, "would replace a file of the run", "predict", own, made, "-o", own / name)


def test_predict_adds_no_part_to_its_table(run, table, tmp_path):
    (tmp_path / "parts").mkdir()
    parquet.write_table(csv.read_csv(table), tmp_path / "parts" / "1.parquet")
    for name in ("1.parquet", "answers.parquet"):
        out = tmp_path / "parts" / name
        refused(tmp_path, "would replace the table", "predict", run, tmp_path / "parts", "-o", out)


def test_a_page_replaces_nothing_that_is_read(table, tmp_path):
    (tmp_path / "c.yaml").write_text("width: 8\n")
    refused(tmp_path, "would replace the table", "inspect", table, "--html", table)
    again = ("inspect", table, "--config", tmp_path / "c.yaml", "--html", tmp_path / "c.yaml")
    refused(tmp_path, "would replace the config", *again)


@pytest.mark.parametrize("inside", ["x.csv", "deeper/x.csv"])
def test_nothing_is_written_into_a_models_folder(inside, run, made, table, tmp_path):
    model = shutil.copytree(run / "model", tmp_path / "run" / "model")
    (tmp_path / "link").symlink_to(model)
    for folder in (model, tmp_path / "link"):
        out = folder / inside
        if out.parent.is_dir():
            refused(tmp_path, "is inside a model's folder", "predict", run, made, "-o", out)
        refused(tmp_path, "is inside a model's folder", "quantize", run, "-o", out.with_suffix(""))
        refused(tmp_path, "is inside a model's folder", "adapt", run, made, "--out", out.with_suffix(".zip"))
        refused(tmp_path, "is inside a model's folder", *fit(table, folder))
        refused(tmp_path, "is inside a model's folder", "inspect", table, "--html", out)
        refused(tmp_path, "is inside a model's folder", "compare", table, "--target", "label", "--out", out)


def test_a_model_is_not_replaced_by_what_is_made_of_it(run, made, table, tmp_path):
    own = shutil.copytree(run, tmp_path / "run")
    for model in (own, own / "model"):
        refused(tmp_path, "would replace the model", "quantize", model, "-o", own / "model")
        refused(tmp_path, "would replace the model", "adapt", model, made, "--out", own / "model")
        refused(tmp_path, "would replace the model", *fit(made, own, "--from", model))


def test_fit_does_not_replace_its_settings_or_its_table(table, tmp_path):
    (tmp_path / "config.yaml").write_text("width: 8\n")
    refused(tmp_path, "would replace the config", *fit(table, tmp_path, "--config", tmp_path / "config.yaml"))
    (tmp_path / "config.yaml").unlink()
    parquet.write_table(csv.read_csv(table), tmp_path / "split.parquet")
    refused(tmp_path, "would replace the table", *fit(tmp_path / "split.parquet", tmp_path))


@pytest.mark.parametrize(
    "name", ["config.yaml", "metrics.json", "split.parquet", "predictions.parquet", "search.json", "search.journal"]
)
def test_fit_does_not_replace_files_of_others(name, table, tmp_path):
    (tmp_path / name).write_text("{}")
    refused(tmp_path, f"no run has written: {name}", *fit(table, tmp_path))


def test_a_model_alone_makes_no_settings_a_runs_own(run, table, tmp_path):
    shutil.copytree(run / "model", tmp_path / "model")
    (tmp_path / "config.yaml").write_text("width: 8\n")
    refused(tmp_path, "would replace the config", *fit(table, tmp_path, "--config", tmp_path / "config.yaml"))
    refused(tmp_path, "no run has written: config.yaml", *fit(table, tmp_path))
    (tmp_path / "config.yaml").unlink()
    refused(tmp_path, "a run of an earlier version", *fit(table, tmp_path))
    assert call(*fit(table, tmp_path, "--overwrite")).exit_code == 0


def test_a_run_of_an_earlier_version_keeps_the_users_predictions(table, tmp_path):
    assert call(*fit(table, tmp_path)).exit_code == 0
    parquet.write_table(csv.read_csv(table), tmp_path / "predictions.parquet")
    refused(tmp_path, "no run has written: predictions.parquet", *fit(table, tmp_path))


def test_a_run_replaces_an_earlier_one_also_from_its_own_settings(table, tmp_path):
    assert call(*fit(table, tmp_path)).exit_code == 0
    again = fit(table, tmp_path, "--config", tmp_path / "config.yaml", "--set", "width=8")
    refused(tmp_path, "width was", *again)
    assert call(*again, "--overwrite").exit_code == 0
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["width"] == 8
    older = (tmp_path / "config.yaml").read_bytes().partition(b"\n")[2]  # earlier versions left no mark
    (tmp_path / "config.yaml").write_bytes(older)
    assert call(*fit(table, tmp_path, "--overwrite")).exit_code == 0


def test_compare_does_not_replace_files_of_others(table, tmp_path):
    (tmp_path / "comparison.json").write_text(json.dumps({"results": 1}))
    refused(tmp_path, "not written by a comparison", "compare", table, "--target", "label", "--out", tmp_path)
    (tmp_path / "comparison.json").write_text(json.dumps({"width": 8}))
    with pytest.raises(ConfigError, match="would replace the config"):
        sensorium.compare(table, "label", out=tmp_path, config=tmp_path / "comparison.json", progress=False)
