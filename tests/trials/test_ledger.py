"""A finished trial is found again where nothing that decides its result has changed, and nowhere else."""

import numpy as np
import pytest
from torch import nn

import sensorium
from prepared import prepare
from sensorium.artifact import save_fitted
from sensorium.config import Config
from sensorium.errors import CallbackError
from sensorium.model import OwnModules
from sensorium.planning import plan_and_prepare
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.trials import Ledger, TrialResult, TrialSpec, run_trial

SPEC = TrialSpec("plain")
SETTINGS = {"target": "label", "modalities": {"note": "text"}, "train": {"epochs": 1}, "width": 8}
ROWS = {"x": [float(row % 7) for row in range(60)], "note": [f"seen {'ab'[row % 2]} {row % 5}" for row in range(60)]}
ROWS |= {"label": ["low", "high"] * 30}


def changed(name, row, cell):
    return ROWS | {name: [*ROWS[name][:row], cell, *ROWS[name][row + 1 :]]}


@pytest.fixture(scope="module")
def data():
    return prepare(ROWS, SETTINGS)


@pytest.fixture(scope="module")
def result(data):
    return run_trial(data, SPEC)


@pytest.fixture
def folder(data, result, tmp_path):
    """With the record of a trial, and its model."""
    ledger = Ledger(data, tmp_path)
    ledger.record(result, ledger.save_model(result))
    return tmp_path


def record_in(folder):
    (path,) = (folder / ".finished").glob("*.json")
    return path


def test_a_finished_trial_is_found_again(folder, result):
    found = Ledger(prepare(ROWS, SETTINGS), folder).find(TrialSpec("plain"), with_model=True)
    assert found.spec == SPEC and found.error is None
    assert found.history.to_json() == result.history.to_json()
    for split in ("validation", "test"):
        assert np.array_equal(found.outcomes[split].scores, result.outcomes[split].scores)
        assert np.array_equal(found.outcomes[split].truth, result.outcomes[split].truth)


def test_its_model_predicts_what_it_predicted(folder, data, result):
    fitted = Ledger(data, folder).load_model(SPEC)
    assert np.array_equal(data.outcome(fitted, "test").scores, result.outcomes["test"].scores)


def test_a_trial_is_known_by_what_it_trains_and_not_by_its_name(folder, data):
    assert Ledger(data, folder).find(TrialSpec("other name", seed=data.plan.config.seed)) is not None


@pytest.mark.parametrize(
    "spec",
    [
        TrialSpec("plain", seed=1),
        TrialSpec("plain", ["text"]),
        TrialSpec("plain", fusion={"name": "late"}),
        TrialSpec("plain", settings={"train": {"epochs": 2}}),
        TrialSpec("plain", baseline="linear"),
    ],
    ids=["seed", "towers", "fusion", "settings", "baseline"],
)
def test_another_spec_is_not_found(spec, folder, data):
    assert Ledger(data, folder).find(spec) is None


@pytest.mark.parametrize(
    ("rows", "settings"),
    [
        (ROWS, {"train": {"epochs": 1, "learning_rate": 0.01}}),
        (ROWS, {"width": 16}),
        (ROWS, {"seed": 1}),
        (changed("x", 5, 6.5), {}),
        (changed("note", 8, "never seen"), {}),
        (changed("label", 5, "low"), {}),
    ],
    ids=["learning rate", "width", "seed", "number", "text", "label"],
)
def test_a_trial_of_other_settings_or_another_table_is_not_found(rows, settings, folder):
    assert Ledger(prepare(rows, SETTINGS, settings), folder).find(SPEC) is None


def test_a_trial_whose_saved_model_was_replaced_is_not_found_with_it(folder, data):
    ledger = Ledger(data, folder)
    (saved,) = (folder / ".finished" / "models").iterdir()
    save_fitted(run_trial(data, TrialSpec("other", seed=1)).model, saved)
    assert ledger.find(SPEC, with_model=True) is None
    assert ledger.find(SPEC) is not None


def test_a_trial_without_a_saved_model_is_found_without_one(data, result, tmp_path):
    ledger = Ledger(data, tmp_path)
    ledger.record(result)
    assert ledger.find(SPEC) is not None
    assert ledger.find(SPEC, with_model=True) is None
    assert ledger.load_model(SPEC) is None


def test_a_model_with_a_changed_weight_is_not_loaded(folder, data):
    weights = max((folder / ".finished" / "models").rglob("*.safetensors"), key=lambda path: path.stat().st_size)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert Ledger(data, folder).load_model(SPEC) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b"0.", b"1.", 1),
        lambda content: b"",
        lambda content: b"{}",
        lambda content: b"\xff" * 9,
    ],
    ids=["cut", "a changed digit", "empty", "not sealed", "not text"],
)
def test_a_damaged_record_is_ignored_and_replaced(damage, folder, data, result):
    ledger, path = Ledger(data, folder), record_in(folder)
    assert damage(path.read_bytes()) != path.read_bytes()
    path.write_bytes(damage(path.read_bytes()))
    assert ledger.find(SPEC) is None
    ledger.record(result)
    assert ledger.find(SPEC) is not None


def test_nothing_is_recorded_without_a_folder_or_with_modules_of_the_user(data, result, tmp_path):
    config = Config.gather(SETTINGS, {"encoders": {"note": {"name": "module"}}})
    own = plan_and_prepare(open_table(ROWS, config.table), config, Silent(), modules=OwnModules({"note": Mean()}))
    for ledger in (Ledger(data), Ledger(own, tmp_path)):
        ledger.record(TrialResult(SPEC), ledger.save_model(result))
        assert ledger.find(SPEC) is None and ledger.load_model(SPEC) is None
    assert not list(tmp_path.iterdir())


class Mean(nn.Module):
    """An encoder of the user's own."""

    def __init__(self):
        super().__init__()
        self.words = nn.EmbeddingBag(40_000, 8)

    def forward(self, tokens):
        return self.words(tokens)


class Trained(sensorium.Callback):
    """Notes which models are trained; a training of the name `fails` is interrupted."""

    def __init__(self, fails=""):
        self.names, self.fails = [], fails

    def on_fit_start(self, event):
        self.names.append(event.trial)
        if event.trial == self.fails:
            raise RuntimeError("the power failed")


@pytest.mark.slow
def test_a_stopped_fit_with_mitigations_trains_only_what_is_not_finished(tmp_path):
    def fit(callback, **more):
        return sensorium.fit(
            ROWS, "label", config=SETTINGS | {"train": {"epochs": 1, "imbalance": "always"}},
            callbacks=[callback], progress=False, **more,
        )  # fmt: skip

    whole, first, second = Trained(), Trained(fails="unimodal_pretraining"), Trained()
    expected = fit(whole)
    assert whole.names[0] == "plain" and whole.names[-1] == "unimodal_pretraining" and len(whole.names) > 3
    with pytest.raises(CallbackError, match="the power failed"):
        fit(first, out=tmp_path)
    model = fit(second, out=tmp_path)
    assert first.names == whole.names
    assert second.names == ["unimodal_pretraining"]
    assert np.array_equal(model.predict_proba(ROWS), expected.predict_proba(ROWS))
    results, again = (each.card["imbalance"]["results"] for each in (expected, model))
    assert [(one["name"], one["validation"]) for one in again] == [(one["name"], one["validation"]) for one in results]
    assert not (tmp_path / ".finished").exists()
