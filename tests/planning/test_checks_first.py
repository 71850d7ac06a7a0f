"""Settings and demands that cannot be honoured are refused before the first cell is decoded."""

import numpy as np
import pytest
import torch

import sensorium
from sensorium.errors import ConfigError
from sensorium.modalities.number import Number
from sensorium.model import NO_MODULES, Blueprint, TowerPlan, build
from sensorium.planning import _prepared
from sensorium.table import open_table

pytestmark = pytest.mark.unit
ROWS = 60


@pytest.fixture
def no_decoding(monkeypatch):
    """Cells are not to be decoded at all."""

    def refuse(*_, **__):
        raise AssertionError("cells were decoded before the settings were checked")

    monkeypatch.setattr(_prepared, "prepare_columns", refuse)


def table(columns=("x", "text")):
    random = np.random.default_rng(0)
    made = {"x": random.normal(size=ROWS), "text": [f"parcel {k} came late and somewhat wet" for k in range(ROWS)]}
    return {name: made[name] for name in columns} | {"y": ["a", "b"] * (ROWS // 2)}


FITS = {
    "a fusion's option": ({"fusion": {"name": "weighted_sum", "alpha": 2}}, "alpha"),
    "heads of the fusion": ({"fusion": {"name": "attention", "heads": 3}}, "heads"),
    "heads of an encoder": ({"encoders": {"text": {"name": "text_transformer", "heads": 5}}}, "heads"),
    "an option of the fusion": ({"fusion": {"name": "gated", "rank": 2}}, "unknown option 'rank'"),
    "an encoder": ({"encoders": {"text": "bilstn"}}, "did you mean 'bilstm'"),
    "an option of a modality": ({"modalities": {"x": {"bins": 0}}}, "bins"),
    "a head": ({"head": {"name": "cosine", "scale": -1}}, "scale"),
    "a technique": ({"train": {"techniques": ["mixmatch"]}}, "no technique"),
    "what is frozen": ({"train": {"freeze": ["picture"]}}, "picture"),
    "unfreezing": ({"train": {"unfreeze": {}}}, "unfreeze"),
    "a device": ({"device": "cuda:77"}, "device"),
    "a metric": ({"train": {"metric": "rmse"}}, "rmse"),
    "a column": ({"columns": ["x", "picture"]}, "picture"),
    "soup without validation": ({"train": {"soup": 3}, "split": {"validation": 0.0}}, "validation"),
    "imbalance without validation": ({"train": {"imbalance": "auto"}, "split": {"validation": 0.0}}, "validation"),
}


@pytest.mark.parametrize("case", FITS)
def test_fit_checks_settings_first(case, no_decoding):
    settings, said = FITS[case]
    with pytest.raises(sensorium.SensoriumError, match=said):
        sensorium.fit(table(), "y", progress=False, config=settings)


def test_the_imbalance_check_wants_two_modalities(no_decoding):
    with pytest.raises(ConfigError, match="only one modality"):
        sensorium.fit(table(["x"]), "y", progress=False, train={"imbalance": "always"})


def test_a_search_wants_validation_rows(no_decoding):
    with pytest.raises(ConfigError, match="no validation rows"):
        sensorium.fit(table(), "y", progress=False, budget="5s", split={"validation": 0.0})


def test_a_part_that_needs_the_values_of_weights_is_no_fault():
    class Picky(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.width = 4
            self.rates = [rate.item() for rate in torch.linspace(0, 0.1, 4)]

    blueprint = Blueprint([TowerPlan("x", ["x"], "module", {})], "concat", {}, 4)
    learnt = {"x": Number.learn(open_table({"x": [1.0, 2.0]}).column("x"))}

    def build_picky(*_):
        Picky()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "build_network", build_picky)
        assert build.outline_network(blueprint, learnt, None, NO_MODULES) is None


COMPARES = {
    "one modality": ({}, ["x"], "only one modality"),
    "no test rows": ({"split": {"test": 0.0}}, ["x", "text"], "no test rows"),
    "a fusion's option": ({"fusion": {"name": "weighted_sum", "alpha": 2}}, ["x", "text"], "alpha"),
    "a baseline": ({"baselines": ["nearest"]}, ["x", "text"], "nearest"),
}


@pytest.mark.parametrize("case", COMPARES)
def test_compare_checks_settings_first(case, no_decoding):
    settings, columns, said = COMPARES[case]
    with pytest.raises(sensorium.SensoriumError, match=said):
        sensorium.compare(table(columns), "y", progress=False, **settings)
