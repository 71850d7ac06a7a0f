"""What cannot be is told before the long work."""

import sys

import pytest

import sensorium
from sensorium.api import _fit_steps
from sensorium.errors import ConfigError, MissingExtraError
from sensorium.planning import _columns

pytestmark = pytest.mark.unit


def test_that_a_budget_lacks_optuna_is_told_before_the_table_is_read(tabular, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.setattr(_fit_steps, "open_table", None)
    with pytest.raises(MissingExtraError, match=r"sensorium\[search\]"):
        sensorium.fit(tabular, "label", budget="9s", progress=False)


def test_that_rows_are_too_few_for_a_temperature_is_told_before_columns_are_read(tabular, monkeypatch):
    monkeypatch.setattr(_columns, "learn_modality", None)
    with pytest.raises(ConfigError, match="too few to choose a temperature"):
        sensorium.fit(tabular, "label", config={"calibrate": "temperature"}, progress=False)


@pytest.mark.unit
def test_resume_and_overwrite_contradict_each_other_before_anything_is_read(tmp_path):
    with pytest.raises(ConfigError) as caught:
        sensorium.fit("nowhere.csv", "y", out=tmp_path / "run", resume=True, overwrite=True, progress=False)
    assert caught.value.finding == "resume and overwrite contradict each other"
    assert not (tmp_path / "run").exists()
