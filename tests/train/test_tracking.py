"""Trackers write what the history tells into the folder of the run, and nothing anywhere else."""

import json
import math
import sys

import pytest
from typer.testing import CliRunner

import sensorium
from sensorium.cli import _main
from sensorium.errors import ConfigError, MissingExtraError, UnknownNameError
from sensorium.registry import trackers
from sensorium.runtime.events import EpochEnd, FitEnd, FitStart

FAKES = {
    "wandb": """
        import json, pathlib
        CALLS = []
        def Settings(**given):
            return given
        class Run:
            summary = {}
            def log(self, metrics, step):
                CALLS.append(["log", metrics, step])
            def finish(self, exit_code):
                CALLS.append(["finish", dict(self.summary), exit_code])
        def init(**given):
            CALLS.append(["init", given])
            return Run()
    """,
    "mlflow": """
        import os
        from types import SimpleNamespace as Record
        CALLS = [["telemetry", os.environ.get("MLFLOW_DISABLE_TELEMETRY")]]
        class MlflowClient:
            def __init__(self, tracking_uri):
                CALLS.append(["client", tracking_uri])
            def get_experiment_by_name(self, name):
                return None
            def create_experiment(self, name, artifact_location):
                CALLS.append(["experiment", name, artifact_location])
                return "7"
            def create_run(self, experiment, run_name):
                CALLS.append(["run", experiment, run_name])
                return Record(info=Record(run_id="r"))
            def log_batch(self, run, metrics=(), params=()):
                CALLS.append(["batch", [list(each) for each in metrics], dict(map(tuple, params))])
            def set_tag(self, run, key, value):
                CALLS.append(["tag", key, value])
            def set_terminated(self, run, status):
                CALLS.append(["end", status])
    """,
    "mlflow.entities": """
        def Metric(*given):
            return given
        def Param(*given):
            return given
    """,
}


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """fake("wandb") → the calls that a stand-in for the package receives."""

    def fake(name):
        folder = tmp_path / "packages" / name
        folder.mkdir(parents=True)
        for module, code in FAKES.items():
            package, _, part = module.partition(".")
            if package == name:
                lines = code.strip("\n").splitlines()
                (folder / f"{part or '__init__'}.py").write_text("\n".join(line[8:] for line in lines))
        monkeypatch.syspath_prepend(folder.parent)
        for module in [module for module in sys.modules if module.partition(".")[0] == name]:
            monkeypatch.delitem(sys.modules, module)
        for variable in ("MLFLOW_DISABLE_TELEMETRY", "WANDB_ERROR_REPORTING"):
            monkeypatch.setenv(variable, "")  # so that what the tracker sets is undone
        return __import__(name).CALLS

    yield fake
    for module in [module for module in sys.modules if module.partition(".")[0] in ("wandb", "mlflow")]:
        del sys.modules[module]  # a fake, also where the package is not installed; monkeypatch puts a real one back


def fit(table, track, out, **settings):
    return sensorium.fit(table, "label", track=track, out=out, epochs=2, progress=False, **settings)


def expected(model):
    """Metric → value per epoch, as the history has them."""
    history = model.card["history"]
    watched = {"loss": "validation_loss", "calibrated_loss": "calibrated_loss", history["watched"]: "metric"}
    names = {"train/loss": "loss", "train/learning_rate": "learning_rate"}
    names |= {f"validation/{name}": key for name, key in watched.items()}
    return {name: [epoch[key] for epoch in history["epochs"]] for name, key in names.items()}


def test_tensorboard_shows_the_curves(tabular, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model = fit(tabular, "tensorboard", tmp_path)
    (file,) = tmp_path.glob("tensorboard/*/plain/events.out.tfevents.*")
    found = EventAccumulator(str(file.parent)).Reload()
    for name, values in expected(model).items():
        scalars = found.Scalars(name)
        assert [scalar.step for scalar in scalars] == [1, 2]
        assert [scalar.value for scalar in scalars] == pytest.approx(values)
    (text,) = found.Tensors("settings/text_summary")
    assert b"optimizer" in text.tensor_proto.string_val[0]


@pytest.mark.filterwarnings("default")  # of MLflow and SQLAlchemy
def test_mlflow_keeps_runs_in_a_local_database(tabular, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    model = fit(tabular, ["mlflow"], tmp_path)
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'mlflow' / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("sensorium").experiment_id])
    assert (run.info.run_name, run.info.status) == ("plain", "FINISHED")
    assert run.data.params["optimizer"] == "adamw" and run.data.params["seed"] == "0"
    for name, values in expected(model).items():
        history = sorted((point.step, point.value) for point in client.get_metric_history(run.info.run_id, name))
        assert history == [(1, values[0]), (2, values[1])]


def test_wandb_writes_an_offline_run(tabular, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "online")
    fit(tabular, "wandb", tmp_path)
    (file,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    assert file.stat().st_size > 0


def test_wandb_is_asked_for_an_offline_run_in_the_folder(tabular, tmp_path, fake, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    calls = fake("wandb")
    model = fit(tabular, "wandb", tmp_path / "run")
    (_, started), *epochs, (_, summary, code) = calls
    assert started["settings"]["mode"] == "offline"
    assert started["settings"]["root_dir"] == str(tmp_path / "run")
    assert started["name"] == "plain" and started["config"]["seed"] == 0
    assert [step for _, _, step in epochs] == [1, 2]
    for name, values in expected(model).items():
        assert [metrics[name] for _, metrics, _ in epochs] == values
    assert (summary["outcome"], code) == ("completed", 0)


def test_mlflow_is_given_a_database_in_the_folder(tabular, tmp_path, fake, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    calls = fake("mlflow")
    calls.clear()
    model = fit(tabular, "mlflow", tmp_path / "run")
    names = [call[0] for call in calls]
    assert names == ["client", "experiment", "run", "batch", "batch", "batch", "tag", "tag", "end"]
    assert calls[0] == ["client", f"sqlite:///{tmp_path}/run/mlflow/mlflow.db"]
    assert calls[1][2].startswith("file://") and calls[2] == ["run", "7", "plain"]
    assert calls[3][2]["optimizer"] == "adamw"
    for name, values in expected(model).items():
        written = [(value, step) for row in (4, 5) for known, value, _, step in calls[row][1] if known == name]
        assert written == [(values[0], 1), (values[1], 2)]
    assert calls[-1] == ["end", "FINISHED"]


def test_telemetry_of_mlflow_is_off_before_it_is_imported(tmp_path, fake):
    fake("mlflow")
    for module in ("mlflow", "mlflow.entities"):
        sys.modules.pop(module, None)
    trackers.load("mlflow")(tmp_path).on_fit_start(FitStart("model", "training", 1, 0, 9, 1, "accuracy", {}))
    assert sys.modules["mlflow"].CALLS[0] == ["telemetry", "true"]


def test_every_training_is_a_run_of_its_own_and_ends_as_it_went(tmp_path, fake):
    """A search trains the same candidate again; a training may fail; values that are not finite are left out."""
    calls = fake("wandb")
    tracker = trackers.load("wandb")(tmp_path)
    for stage, outcome in (("pre-training", "completed"), ("training", "failed"), ("training", "stopped")):
        tracker.on_fit_start(FitStart("a b", stage, 1, 0, 9, 1, "accuracy", {"nested": {"x": 1}, "empty": {}}))
        metrics = {"accuracy": math.nan}
        tracker.on_epoch_end(EpochEnd("a b", stage, 1, 1, 0.5, metrics, 0.1, 2.0, 4.5, 1))
        tracker.on_fit_end(FitEnd("a b", stage, outcome, 1, 1, 2.0))
    started = [call[1] for call in calls if call[0] == "init"]
    assert [given["name"] for given in started] == ["a b pre-training", "a b", "a b 2"]
    assert started[0]["config"] == {"nested.x": 1, "empty": {}, "train_rows": 9, "validation_rows": 1}
    assert [call[2] for call in calls if call[0] == "finish"] == [0, 1, 0]
    assert "validation/accuracy" not in next(call[1] for call in calls if call[0] == "log")


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_a_missing_package_is_reported_before_the_table_is_read(name, tmp_path, monkeypatch):
    monkeypatch.setattr("sensorium.train.tracking.find_spec", lambda package: None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'sensorium\[{name}\]'"):
        sensorium.fit("no such table.csv", "label", track=name, out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_all_missing_packages_are_reported_together(tmp_path, monkeypatch):
    monkeypatch.setattr("sensorium.train.tracking.find_spec", lambda package: None)
    with pytest.raises(MissingExtraError, match=r"2 faults(.|\n)*\[mlflow\](.|\n)*\[wandb\]"):
        sensorium.fit("no such table.csv", "label", track=["mlflow", "wandb"], out=tmp_path)


def test_tracking_needs_a_folder_and_a_known_name(tmp_path):
    with pytest.raises(ConfigError, match="needs an output folder"):
        sensorium.fit("no such table.csv", "label", track="tensorboard")
    with pytest.raises(UnknownNameError, match="did you mean 'tensorboard'"):
        sensorium.fit("no such table.csv", "label", track="tensorbord", out=tmp_path)


def test_the_command_line_tracks_too(tabular, tmp_path, fake):
    calls = fake("wandb")
    out = tmp_path / "run"
    arguments = ["fit", str(tabular), "--target", "label", "--epochs", "1", "--out", str(out), "--quiet", "--json"]
    result = CliRunner().invoke(_main.make_app(), [*arguments, "--track", "wandb"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["epochs"] == 1
    assert [call[0] for call in calls] == ["init", "log", "finish"]
