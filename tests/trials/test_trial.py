"""One trial: its spec is plain JSON, and a training that diverges is a result, not an end."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from prepared import prepare
from sensorium.errors import TrainingError
from sensorium.model import FittedModel
from sensorium.trials import Control, TrialSpec, run_trial

SPECS = [
    TrialSpec("plain"),
    TrialSpec("late, seed 3", ["text"], {"name": "late"}, seed=3),
    TrialSpec("more", settings={"width": 16, "train": {"techniques": {"mixup": {}}}}),
    TrialSpec("built on others", towers_from={"text": "text alone"}),
    TrialSpec("forest", baseline="random_forest"),
]


@pytest.fixture(scope="module")
def data(tabular):
    return prepare(tabular, {"target": "label", "train": {"epochs": 1}, "width": 8})


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_spec_survives_json(spec):
    again = TrialSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert again == spec
    assert again.choice == spec.choice


def test_a_spec_that_was_json_trains_the_same_model(data):
    spec = TrialSpec("late", ["text", "tabular"], {"name": "late"}, seed=3)
    again = TrialSpec.from_json(json.loads(json.dumps(spec.to_json())))
    one, other = run_trial(data, spec), run_trial(data, again)
    assert one.model.blueprint.fusion == "late"
    assert np.array_equal(one.outcomes["test"].scores, other.outcomes["test"].scores)


def test_a_training_that_diverges_is_a_result_with_its_error(data):
    spec = TrialSpec("hot", settings={"train": {"learning_rate": 1e30}})
    result = run_trial(data, spec)
    assert isinstance(result.error, TrainingError)
    assert "loss" in result.error.finding
    assert result.spec == spec and result.fitted is None and not result.outcomes
    assert run_trial(data, TrialSpec("usual")).error is None


def test_the_speed_of_prediction_is_that_of_the_test_rows_alone(data, monkeypatch):
    """What else is done with the finished model, such as its fusion weights, is no part of it."""
    now, real = [0.0], (FittedModel.scores, FittedModel.modality_weights)

    def scores(*args):
        now[0] += 2
        return real[0](*args)

    def weights(*args):
        now[0] += 1000
        return real[1](*args)

    monkeypatch.setattr("sensorium.trials._trial.time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(FittedModel, "scores", scores)
    monkeypatch.setattr(FittedModel, "modality_weights", weights)
    result = run_trial(data, TrialSpec("timed"), Control(measure=True))
    assert now[0] > 1000 and result.predict_seconds == 2
    assert result.cost.rows_per_second == len(data.rows("test")) / 2
