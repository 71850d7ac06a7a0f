"""A run in a folder that holds one: continued, returned at once, or refused with what differs."""

import json

import numpy as np
import pytest

import sensorium
from sensorium.errors import ConfigError, TrainingError
from sensorium.trials import TrialResult, run_trial

RUN = "sensorium.trials._runner.run_trial"
X = np.random.default_rng(0).normal(size=90)
TABLE = {"x": X, "kind": ["red", "blue", "red"] * 30, "y": np.where(X > 0, "yes", "no")}


def fit(out, table=TABLE, **settings):
    return sensorium.fit(table, "y", out=out, progress=False, **{"epochs": 2} | settings)


@pytest.fixture
def counted(monkeypatch):
    """The names of the trials that are trained."""
    names = []
    monkeypatch.setattr(RUN, lambda data, spec, control: names.append(spec.name) or run_trial(data, spec, control))
    return names


def test_a_finished_run_is_returned_without_training(tmp_path, counted):
    first = fit(tmp_path)
    again = fit(tmp_path)
    assert counted == ["plain"]
    assert np.array_equal(first.predict_proba(TABLE), again.predict_proba(TABLE))
    assert again.test.metrics == first.test.metrics and again.test.intervals == first.test.intervals
    assert [p.reason for p in again.fit_problems] == [p.reason for p in first.fit_problems]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"epochs": 3}, "train.epochs was 2, is 3"),
        ({"seed": 5}, "seed was 0, is 5"),
        ({"table": {**TABLE, "x": X + 1}}, "the table changed"),
        ({"columns": ["x"]}, "columns was None"),
    ],
)
def test_another_run_is_refused_with_what_differs(change, told, tmp_path, counted):
    fit(tmp_path)
    before = (tmp_path / "model" / "manifest.json").read_bytes()
    with pytest.raises(ConfigError, match=told) as caught:
        fit(tmp_path, **change)
    assert "--overwrite" in caught.value.cure
    assert (tmp_path / "model" / "manifest.json").read_bytes() == before and counted == ["plain"]


def test_what_changes_no_result_makes_no_other_run(tmp_path, counted):
    fit(tmp_path)
    fit(tmp_path, prepare={"store": str(tmp_path / "store")}, device="cpu", train={"checkpoint": 5.0})
    assert counted == ["plain"]


def test_overwrite_replaces_the_run_once_the_new_model_is_complete(tmp_path, monkeypatch):
    fit(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()}
    model = (tmp_path / "model" / "manifest.json").read_bytes()

    def fails(data, spec, control):
        run_trial(data, spec, control)
        return TrialResult(spec, error=TrainingError("the loss is nan in epoch 2"))

    with monkeypatch.context() as patch:
        patch.setattr(RUN, fails)
        with pytest.raises(TrainingError):
            fit(tmp_path, epochs=3, overwrite=True)
    assert (tmp_path / "model" / "manifest.json").read_bytes() == model
    after = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file() and p.name in before}
    assert after == before
    replaced = fit(tmp_path, epochs=3, overwrite=True)
    assert len(replaced.history) == 3
    assert len(json.loads((tmp_path / "history.json").read_text())["epochs"]) == 3
    assert len(fit(tmp_path, epochs=3).history) == 3


def test_an_unfinished_run_is_continued(tmp_path, monkeypatch, counted):
    """It ends with the weights of a run that was not stopped."""
    expected = fit(tmp_path / "whole", epochs=4, train={"checkpoint": 0})
    stopped = False

    def stop(event):
        nonlocal stopped
        if event.epoch == 2 and not stopped:
            stopped = True
            raise KeyboardInterrupt

    class Stop(sensorium.Callback):
        def on_epoch_end(self, event):
            stop(event)

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "cut", epochs=4, train={"checkpoint": 0}, callbacks=[Stop()])
    assert (tmp_path / "cut" / "checkpoint.safetensors").exists()
    found = fit(tmp_path / "cut", epochs=4, train={"checkpoint": 0})
    assert np.array_equal(found.predict_proba(TABLE), expected.predict_proba(TABLE))
    assert not (tmp_path / "cut" / "checkpoint.safetensors").exists()


def test_a_model_that_was_put_there_is_no_finished_run(tmp_path, counted):
    fit(tmp_path / "a")
    other = fit(tmp_path / "b", seed=3)
    other.save(tmp_path / "a" / "model")
    fit(tmp_path / "a")
    assert counted == ["plain"] * 3


def test_a_folder_with_a_model_of_unknown_origin_is_refused(tmp_path):
    fit(tmp_path)
    (tmp_path / "run.json").unlink()
    with pytest.raises(ConfigError, match="earlier version"):
        fit(tmp_path)
    fit(tmp_path, overwrite=True)


def test_a_comparison_is_not_replaced_by_another_table(tmp_path):
    settings = {"fusions": ["concat"], "baselines": ["none"], "epochs": 1, "progress": False, "out": tmp_path}
    table = {**TABLE, "note": [f"word{k} of many" for k in range(90)]}
    first = sensorium.compare(table, "y", **settings)
    assert sensorium.compare(table, "y", **settings).to_json() == first.to_json()
    with pytest.raises(ConfigError, match="the table changed"):
        sensorium.compare({**table, "x": X + 1}, "y", **settings)
    sensorium.compare({**table, "x": X + 1}, "y", overwrite=True, **settings)


def test_overwrite_trains_a_comparison_again(tmp_path, counted):
    settings = {"fusions": ["concat"], "baselines": ["none"], "epochs": 1, "progress": False, "out": tmp_path}
    table = {**TABLE, "note": [f"word{k} of many" for k in range(90)]}
    for overwrite, trained in ((False, 3), (False, 0), (True, 3)):
        counted.clear()
        sensorium.compare(table, "y", overwrite=overwrite, **settings)
        assert len(counted) == trained


def test_a_comparison_trains_a_network_again_whose_weights_are_damaged(tmp_path, counted, capsys):
    settings = {"fusions": ["concat"], "baselines": ["none"], "epochs": 1, "out": tmp_path}
    table = {**TABLE, "note": [f"word{k} of many" for k in range(90)]}
    first = sensorium.compare(table, "y", **settings)
    weights = tmp_path / "concat" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    counted.clear()
    capsys.readouterr()
    again = sensorium.compare(table, "y", **settings)
    told = [line for line in capsys.readouterr().err.splitlines() if "damaged" in line]
    assert counted == ["concat"] and [one.runs for one in again.results] == [one.runs for one in first.results]
    assert len(told) == 1 and told[0].startswith("? concat: trained again") and "SHA-256" in told[0]
    sensorium.load(tmp_path / "concat")


@pytest.mark.parametrize("content", [b"[" * 200_000, b"{}", b"\xff", b'{"made_of": 3, "model": 1}', b"null"])
def test_a_record_that_cannot_be_read_is_none(content, tmp_path):
    fit(tmp_path)
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(ConfigError, match="earlier version"):
        fit(tmp_path)


def test_a_folder_in_place_of_a_file_is_refused_before_training(tmp_path, counted):
    fit(tmp_path)
    (tmp_path / "metrics.json").unlink()
    (tmp_path / "metrics.json").mkdir()
    before = (tmp_path / "config.yaml").read_bytes()
    with pytest.raises(ConfigError, match=r"not a file: metrics\.json"):
        fit(tmp_path, epochs=3, overwrite=True)
    assert counted == ["plain"] and (tmp_path / "config.yaml").read_bytes() == before


def test_a_run_that_overwrites_and_was_stopped_is_continued(tmp_path):
    fit(tmp_path, seed=4)
    settings = {"epochs": 4, "train": {"checkpoint": 0}, "overwrite": True}
    expected = fit(tmp_path / "whole", **settings)

    epochs = []

    class Stop(sensorium.Callback):
        def on_epoch_end(self, event):
            epochs.append(event.epoch)
            if len(epochs) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, callbacks=[Stop()], **settings)
    assert len(fit(tmp_path, seed=4).history) == 2  # the earlier run is still there
    found = fit(tmp_path, callbacks=[Stop()], **settings)
    assert epochs in ([1, 2, 3, 4], [1, 2, 2, 3, 4])  # the event of an epoch comes before its checkpoint
    assert np.array_equal(found.predict_proba(TABLE), expected.predict_proba(TABLE))


def test_a_comparison_does_not_go_into_the_folder_of_a_fit(tmp_path):
    fit(tmp_path)
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="holds the run of a fit"):
            sensorium.compare(
                TABLE,
                "y",
                out=tmp_path,
                overwrite=overwrite,
                epochs=1,
                progress=False,
                columns=["x", "kind"],
                towers={"a": ["x"], "b": ["kind"]},
            )


def test_a_finished_model_that_is_damaged_is_told_with_the_cure(tmp_path):
    fit(tmp_path)
    weights = tmp_path / "model" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(sensorium.ArtifactError) as caught:
        fit(tmp_path)
    assert "--overwrite" in caught.value.cure
