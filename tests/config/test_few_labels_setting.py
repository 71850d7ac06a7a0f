"""What few rows change in the settings, and what the user's own settings change in that."""

import numpy as np
import pytest

import sensorium
from sensorium.config import TrainConfig, for_few_labels
from sensorium.config._few_labels import FEW, PATIENCE

PLAIN = TrainConfig()


@pytest.mark.parametrize(("rows", "few"), [(FEW, True), (FEW + 1, False)])
def test_auto_goes_by_the_number_of_rows(rows, few):
    found = for_few_labels(TrainConfig(), rows, "multiclass")
    assert found.patience == (PATIENCE if few else PLAIN.patience)
    assert list(found.techniques) == (["label_smoothing"] if few else [])


def test_few_is_always_taken_none_never():
    assert for_few_labels(TrainConfig(few_labels="few"), 10**6, "binary").patience == PATIENCE
    assert for_few_labels(TrainConfig(few_labels="none"), 10, "binary").patience == PLAIN.patience


@pytest.mark.parametrize(
    "own", [{"patience": 3}, {"patience": None}, {"techniques": {}}, {"techniques": ["auxiliary"]}]
)
def test_what_is_set_by_hand_stays(own):
    config = TrainConfig.model_validate(own)
    found = for_few_labels(config, 10, "multiclass")
    assert {key: getattr(found, key) for key in own} == {key: getattr(config, key) for key in own}


def test_amounts_have_no_labels_to_smooth():
    assert for_few_labels(TrainConfig(), 10, "regression").techniques == {}


def test_a_fit_says_what_it_was_trained_with(tmp_path):
    random = np.random.default_rng(0)
    table = {"x": random.normal(size=80).tolist(), "label": ["a", "b"] * 40}
    model = sensorium.fit(table, "label", epochs=2, out=tmp_path, progress=False)
    assert model.fitted.config.train.patience == PATIENCE
    assert "label_smoothing" in model.card["history"]["techniques"]
    assert f"patience: {PATIENCE}" in (tmp_path / "config.yaml").read_text()


@pytest.mark.parametrize(
    ("own", "times"), [({}, 1), ({"few_labels": "none"}, 0), ({"patience": 3, "techniques": {}}, 0)]
)
def test_a_fit_reports_once_what_few_labels_change(own, times, capsys):
    random = np.random.default_rng(0)
    table = {"x": random.normal(size=80).tolist(), "label": ["a", "b"] * 40}
    sensorium.fit(table, "label", train={"epochs": 1, **own}, progress=True)
    shown = capsys.readouterr().err
    assert shown.count("train.few_labels sets patience to 20 and techniques to label_smoothing") == times
    assert shown.count("--set train.few_labels=none") == times
