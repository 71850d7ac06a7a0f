"""Augmentation in a run: training rows alone, by the seed, by name, and said so."""

import hashlib

import numpy as np
import pytest

import sensorium
from sensorium.augment import Augmentation
from sensorium.config import Config, parse_assignments
from sensorium.errors import ConfigError
from sensorium.testing import make_table


def fit(table, augment, **settings):
    return sensorium.fit(table, "label", epochs=2, progress=False, augment=augment, **settings)


def digest(model):
    state = model.fitted.network.state_dict()
    return hashlib.sha256(b"".join(state[name].numpy().tobytes() for name in sorted(state))).hexdigest()


ON = {"text": ["token_dropout"], "number": ["noise", "swap"], "category": ["swap"]}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_another_seed_others(tabular):
    assert digest(fit(tabular, ON)) == digest(fit(tabular, ON))
    assert digest(fit(tabular, ON)) != digest(fit(tabular, ON, seed=1))


def test_none_is_on_by_default_and_chance_0_is_none(tabular):
    encoders = {"text": "bilstm"}  # reads tokens: features that are computed once have other last bits
    off = {column: {name: {"probability": 0} for name in names} for column, names in ON.items()}
    plain = fit(tabular, {}, encoders=encoders)
    assert plain.card["augment"] == {}
    weights = [digest(fit(tabular, each, encoders=encoders)) for each in (off, ON)]
    assert digest(plain) == weights[0] != weights[1]


def test_only_training_rows_are_changed(tabular, monkeypatch):
    seen, call = [], Augmentation.__call__

    def count(self, cells, random):
        seen.append(len(cells.present))
        return call(self, cells, random)

    monkeypatch.setattr(Augmentation, "__call__", count)
    model = fit(tabular, {"number": ["noise"]})
    assert sum(seen) == 2 * model.card["rows"]["train"]
    probabilities = model.predict_proba(tabular)
    model.evaluate(tabular, "train")
    assert sum(seen) == 2 * model.card["rows"]["train"]
    assert np.array_equal(probabilities, model.predict_proba(tabular))


def test_a_columns_choice_stands_instead_of_its_modalitys(tmp_path):
    table = {"a": [0.5, 1.5] * 20, "b": [1.25, 2.25] * 20, "c": [3.5, 2.5] * 20, "label": ["x", "y"] * 20}
    model = fit(table, {"number": ["noise"], "b": [], "c": {"swap": {"probability": 0.25}, "noise": None}})
    assert model.card["augment"] == {
        "a": {"noise": {"probability": 1.0, "std": 0.1}},
        "c": {"swap": {"probability": 0.25}, "noise": {"probability": 1.0, "std": 0.1}},
    }
    assert list(model.card["augment"]["c"]) == ["swap", "noise"]


def test_assignments_add_options_to_a_list_of_names():
    config = Config.gather(
        {"augment": {"photo": ["crop", "flip"]}}, parse_assignments(["augment.photo.crop.min_scale=0.5"])
    )
    assert config.augment == {"photo": {"crop": {"min_scale": 0.5}, "flip": {}}}


def test_a_column_called_like_a_modality_is_meant_as_the_column():
    words = ["good words here", "other words there", "some words again", "many words now"] * 10
    table = {"text": ["a", "b", "c", "d"] * 10, "said": words, "label": ["x", "y"] * 20}
    model = fit(table, {"text": ["swap"]}, modalities={"text": "category", "said": "text"})
    assert list(model.card["augment"]) == ["text"]


@pytest.mark.slow
def test_a_comparison_augments_each_model_that_has_the_column(tabular, monkeypatch):
    seen, call = [], Augmentation.__call__
    monkeypatch.setattr(Augmentation, "__call__", lambda *given: seen.append(1) or call(*given))
    on = {"augment": {"text": ["token_dropout"]}, "epochs": 1, "progress": False}
    sensorium.fit(tabular, "label", **on)
    steps = len(seen)
    sensorium.compare(tabular, "label", fusions=["late"], **on)
    assert len(seen) == 3 * steps  # the fit; text alone and fused


@pytest.mark.slow
def test_every_kind_of_column_trains_with_all_that_fits_it(tmp_path):
    from sensorium.registry import augmentations, modalities

    kinds = ["image", "audio", "text", "number", "series", "scan", "category", "vector", "date", "boolean"]
    assert set(kinds) <= set(modalities.names())
    table = make_table(tmp_path, rows=40, modalities=kinds, missing=0.1)
    on = {
        kind: [name for name, entry in augmentations.entries.items() if kind in entry.literal("ACCEPTS")]
        for kind in kinds
    }
    modality = {"vector": "vector", "series": "series", "scan": "scan"}
    model = sensorium.fit(table, "label", epochs=1, progress=False, augment=on, modalities=modality)
    assert {column: list(names) for column, names in model.card["augment"].items()} == on
    assert np.isfinite(model.predict_proba(table)).all()


def test_faults_are_told_before_the_work(tabular):
    with pytest.raises(ConfigError, match=r"augment\.text\.flip"):
        fit(tabular, {"text": ["flip"]})
