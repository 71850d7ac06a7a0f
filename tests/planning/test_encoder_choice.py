"""The default encoder of a column depends on the number of rows and the length of its cells, and a setting wins."""

import numpy as np
import pytest

import sensorium
from sensorium.config import Config
from sensorium.planning import make_plan
from sensorium.runtime.progress import Silent
from sensorium.table import open_table

WORDS = np.array(
    [
        "calm",
        "sea",
        "red",
        "fox",
        "runs",
        "blue",
        "sky",
        "today",
        "old",
        "grey",
        "stone",
        "warm",
        "rain",
        "cold",
        "wind",
    ]
)
FEW, MANY = 120, 2700  # rows; eight tenths of them train


def table(rows, words=8, steps=0):
    random = np.random.default_rng(0)
    found = {
        "text": [" ".join(chosen) for chosen in random.choice(WORDS, (rows, words))],
        "kind": random.choice(["a", "b"], rows).tolist(),
    }
    if steps:
        walks = random.normal(size=(rows, steps)).cumsum(1)
        found |= {"wave": walks.tolist(), "other": (-walks).tolist()}
    return found


def plan(cells, **settings):
    config = Config.gather({"target": "kind", "modalities": {"wave": "series", "other": "series"}}, settings)
    if "wave" not in cells:
        config = Config.gather({"target": "kind"}, settings)
    return make_plan(open_table(cells), config, Silent())


def encoders(found):
    return {tower.name: tower.encoder for tower in found.blueprint.towers}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "words", "expected"),
    [(FEW, 8, "text_tfidf"), (FEW, 400, "text_tfidf"), (MANY, 8, "bilstm"), (MANY, 400, "text_cnn")],
)
def test_a_text_is_read_by_what_suits_its_rows_and_length(rows, words, expected):
    assert encoders(plan(table(rows, words)))["text"] == expected


@pytest.mark.parametrize(("steps", "expected"), [(20, "gru"), (400, "series_statistics")])
def test_a_long_series_does_not_go_through_a_recurrent_network(steps, expected):
    assert encoders(plan(table(FEW, steps=steps)))["wave"] == expected


def test_series_that_share_a_tower_keep_an_encoder_that_joins_them():
    found = plan(table(FEW, steps=400), towers={"waves": ["wave", "other"]})
    assert encoders(found)["waves"] == "gru"


@pytest.mark.parametrize(
    "settings",
    [
        {"encoders": {"text": "bilstm"}},
        {"encoders": {"text": {"hidden": 8}}},
        {"augment": {"text": {"token_dropout": {}}}},
        {"train": {"pretrain": {"techniques": {"masked": {}}}}},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_setting_that_concerns_the_encoder_keeps_it(settings):
    found = plan(table(FEW, steps=20), **settings)
    assert encoders(found)["text"] == "bilstm"
    assert not [notice for notice in found.notices if "encoded by" in notice.reason]


def test_the_choice_is_reported_once_with_its_reason_and_the_flag_that_changes_it():
    found = plan(table(FEW))
    (notice,) = [notice for notice in found.notices if notice.column == "text"]
    reason = "96 training rows are too few to learn word vectors from"
    assert notice.reason == f"encoded by text_tfidf, not by bilstm: {reason}"
    assert notice.cure == "--set encoders.text=bilstm"
    (told,) = sensorium.inspect(table(FEW), "kind").columns[0].findings
    inspected = f"encoded by text_tfidf unless the preset uses a backbone, not by bilstm: {reason}"
    assert (told.reason, told.cure) == (inspected, notice.cure)
    assert not sensorium.inspect(table(FEW)).columns[0].findings  # without a target there are no training rows


def test_the_choice_is_saved_and_a_model_keeps_it(tmp_path):
    few = {"columns": ["text"], "epochs": 1, "width": 8, "progress": False}
    model = sensorium.fit(table(FEW), "kind", out=tmp_path, **few)
    again = sensorium.load(tmp_path)
    assert again.fitted.config.encoders["text"].name == "text_tfidf"
    assert np.array_equal(again.predict_proba(table(FEW)), model.predict_proba(table(FEW)))
    old = sensorium.fit(table(FEW), "kind", encoders={"text": {"name": "bilstm", "hidden": 4}}, **few)
    newer = sensorium.fit(table(FEW), "kind", start=old, epochs=1, progress=False)
    assert [tower.encoder for tower in newer.fitted.blueprint.towers] == ["bilstm"]
