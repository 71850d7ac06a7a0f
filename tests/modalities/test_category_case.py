"""Categories that differ only in upper and lower case: said in inspect and in fit, made one by a setting."""

import numpy as np
import pytest

import sensorium

ROWS = 120
QUICK = {"train": {"epochs": 3}}
FUEL = (["Diesel"] * 5 + ["diesel"] * 2 + ["Benzin"] * 4 + ["Elektro"]) * (ROWS // 12)


def table(cells):
    return {"Kraft stoff": cells, "a": np.arange(ROWS) * 0.37 % 5, "y": ["up", "down"] * (ROWS // 2)}


def test_it_is_said_with_counts_and_the_setting_that_makes_them_one():
    column = sensorium.inspect(table(FUEL), "y").columns[0]
    assert column.modality == "category"
    assert "differ only in upper and lower case" in column.caution
    assert "'Diesel' (50 cells), 'diesel' (20 cells)" in column.caution
    assert "Benzin" not in column.caution
    told = [n for n in sensorium.fit(table(FUEL), "y", config=QUICK).card["notices"] if n["column"] == "Kraft stoff"]
    assert len(told) == 1
    assert "'Diesel' (" in told[0]["reason"] and "--set 'modalities.Kraft stoff.fold_case=true'" in told[0]["cure"]


def test_the_setting_makes_them_one_and_is_saved(tmp_path):
    plain = {"calibrate": "none"}  # the labels say nothing: the bound would predict their frequencies
    config = {**QUICK, **plain, "modalities": {"Kraft stoff": {"fold_case": True}}}
    model = sensorium.fit(table(FUEL), "y", config=config)
    assert not [n for n in model.card["notices"] if n["column"] == "Kraft stoff"]
    model.save(tmp_path / "m")
    again = sensorium.load(tmp_path / "m")
    assert sorted(again.fitted.learnt["Kraft stoff"].levels) == ["Benzin", "Diesel", "Elektro"]
    rows = [{"Kraft stoff": fuel, "a": 1.0} for fuel in ("Diesel", "diesel", "DIESEL", "Benzin")]
    found = again.predictions(rows)
    answers = found.scores
    assert np.allclose(answers[:3], answers[0], atol=1e-6)
    assert not np.allclose(answers[3], answers[0], atol=1e-5)
    assert not list(found.problems.of_cells())


@pytest.mark.parametrize("cells", [["Diesel", "Benzin", "Elektro"], ["M", "F", "x"], ["a", "A1", "B"]])
def test_nothing_is_said_of_other_columns(cells):
    assert "case" not in sensorium.inspect(table(cells * (ROWS // 3)), "y").columns[0].caution
