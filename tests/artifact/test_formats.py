"""Models that earlier versions saved still load and predict as they did; their answers lie beside them."""

import json
from pathlib import Path

import numpy as np
import pytest

import sensorium

FORMATS = Path(__file__).parent / "formats"
SAVED = sorted(path.stem for path in FORMATS.glob("v*.zip"))


def load(name):
    return sensorium.load(FORMATS / f"{name}.zip")


def test_there_is_a_model_of_every_earlier_version():
    """The name and the version in a manifest never change for models that are out there."""
    assert {name.split("-")[0] for name in SAVED} == {"v1", "v2", "v3"}


@pytest.mark.parametrize("name", SAVED)
def test_a_model_of_an_earlier_format_predicts_as_it_did(name, tmp_path):
    model, kept = load(name), json.loads((FORMATS / f"{name}.json").read_text())
    assert model.predict_proba(kept["rows"]) == pytest.approx(np.array(kept["scores"]), abs=1e-6)
    model.save(tmp_path / "now")
    again = sensorium.load(tmp_path / "now")
    assert again.card == model.card
    assert (again.predict_proba(kept["rows"]) == model.predict_proba(kept["rows"])).all()


@pytest.mark.parametrize("name", SAVED)
def test_the_card_of_an_earlier_format_is_read(name):
    model = load(name)
    card = model.card
    assert model.fitted.data.split_rows["train"] == card["rows"]["train"] > 0
    assert len(model.history) >= 1 and card["history"]["epochs"] == model.history
    assert {plan.name for plan in model.fitted.card.columns} > set(model.columns) - {"kind"}
    assert 0 <= model.fitted.card.metrics["test"].metrics["accuracy"] <= 1
    assert model.fitted.card.seconds > 0


def test_what_predictions_depend_on_is_taken_out_of_an_untyped_card():
    data = load("v2-last").fitted.data
    assert len(data.fingerprint) == 64 and len(data.split_digest) > 8
    assert data.split_column is None and "seed 0" in data.split_rule
    assert data.text_columns and data.statistics["size"]["present"] == 1.0
    early = load("v1-first").fitted.data
    assert early.split_digest == "" and early.text_columns == []


def test_sentences_of_an_earlier_format_become_data_and_are_worded_again():
    model = load("v2-imbalance")
    found, report = model.fitted.card.imbalance, model.fitted.card.imbalance_signs
    assert (found.diagnosis.state, found.diagnosis.behind, found.rows) == ("weak", ["point"], "test")
    assert report.diagnosis.leads == "size" and report.chance == 0.5
    assert model.card["imbalance"]["verdict"].startswith(
        "on all validation rows, a modality is weak by nature, but not undertrained: 'point' reaches 0.611"
    )
    assert "'size' leads" in model.card["history"]["techniques"]["modality_imbalance"]["diagnosis"]["words"]
    shift = load("v2-continued").fitted.card.shift
    assert shift.weights["tabular"] > 0 and shift.answers.rows > 0 and shift.columns["size"]["shift"] > 1
