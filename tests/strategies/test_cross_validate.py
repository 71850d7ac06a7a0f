"""A fit that is cross-validated: the same model, with the metrics of folds beside its own."""

import json
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

import sensorium
from sensorium.errors import ConfigError
from sensorium.report import fit_text
from sensorium.testing import make_truth
from sensorium.trials import run_trial

RUN = "sensorium.trials._runner.run_trial"
QUICK = {"fusion": "concat", "width": 8, "progress": False, "train": {"epochs": 1, "metric": "accuracy"}}


@pytest.fixture(scope="module")
def table():
    return make_truth("unique", rows=60)


def weights(model):
    return {name: value.tolist() for name, value in model.fitted.network.state_dict().items()}


def test_metrics_of_folds_are_beside_those_of_the_same_model(table, tmp_path):
    plain = sensorium.fit(table, "label", **QUICK)
    model = sensorium.fit(table, "label", folds=3, out=tmp_path, **QUICK)
    assert weights(model) == weights(plain)
    found = model.card["cross_validation"]
    assert (found["folds"], found["repeats"], found["n"], len(found["by_fold"])) == (3, 1, 60, 3)
    assert found["rule"] == "3 folds, stratified by label, seed 0"
    for name in ("accuracy", "log_loss"):
        low, high = found["intervals"][name]
        assert low <= found["metrics"][name] <= high
        assert found["metrics"][name] == pytest.approx(np.mean([fold[name] for fold in found["by_fold"]]))
    assert json.loads((tmp_path / "metrics.json").read_text())["cross_validation"] == found
    assert sensorium.load(tmp_path).card["cross_validation"] == found
    assert "cross_validation" not in plain.card
    console = Console(width=120, file=StringIO())
    console.print(fit_text(model.describe(), model.fitted.card, model.fitted.data, model.test))
    assert "cross-validation on 60 rows: 3 folds" in console.file.getvalue()
    assert "mean of the folds" in console.file.getvalue()


@pytest.mark.slow
def test_finished_folds_are_not_trained_again(table, tmp_path, monkeypatch):
    trained = []

    def run(data, spec, control):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(spec.name)
        return run_trial(data, spec, control)

    monkeypatch.setattr(RUN, run)
    with pytest.raises(KeyboardInterrupt):
        sensorium.fit(table, "label", folds=3, out=tmp_path, **QUICK)
    monkeypatch.setattr(RUN, lambda data, spec, control: trained.append(spec.name) or run_trial(data, spec, control))
    killed = sensorium.fit(table, "label", folds=3, out=tmp_path, **QUICK)
    assert len(trained) == 4, "two folds before, one fold and the model after"
    assert not (tmp_path / ".folds").exists()
    whole = sensorium.fit(table, "label", folds=3, **QUICK)
    assert killed.card["cross_validation"] == whole.card["cross_validation"]
    again = sensorium.fit(table, "label", folds=3, out=tmp_path, **QUICK)
    assert len(trained) == 8 and again.card["cross_validation"] == killed.card["cross_validation"]
    with pytest.raises(ConfigError, match="another run: folds was 3"):
        sensorium.fit(table, "label", folds=4, out=tmp_path, **QUICK)


@pytest.mark.slow
def test_named_test_rows_are_left_to_the_model(table):
    named = {**table, "split": ["train"] * 40 + ["validation"] * 5 + ["test"] * 15}
    model = sensorium.fit(named, "label", folds=3, **QUICK)
    assert model.card["cross_validation"]["n"] == 45 and model.test.n == 15
    assert any("its 15 test rows are not used" in notice["reason"] for notice in model.card["notices"])


@pytest.mark.unit
@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"folds": 1}, "folds cannot be 1"),
        ({"repeats": 2}, "repeats needs folds"),
        ({"folds": 3, "budget": 60}, "folds cannot be combined with a budget"),
        ({"folds": 3, "train": {"teacher": "nowhere"}}, "nowhere|teacher"),
    ],
)
def test_what_cannot_be_folded_is_refused(given, match, table):
    with pytest.raises(sensorium.SensoriumError, match=match):
        sensorium.fit(table, "label", **QUICK | given)


def test_a_model_that_is_continued_is_not_cross_validated(table):
    model = sensorium.fit(table, "label", **QUICK)
    with pytest.raises(ConfigError, match="folds cannot be combined with a start"):
        sensorium.fit(table, "label", start=model, folds=3, progress=False)
