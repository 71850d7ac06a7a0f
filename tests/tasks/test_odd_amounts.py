"""Targets of dates, durations and amounts in several units: what is said before classes are made of them."""

import datetime

import pandas as pd
import pytest

import sensorium
from sensorium.errors import SchemaError

NUMBERS = [row / 7 for row in range(120)]
DAYS = [datetime.date(2021, 1, 1) + datetime.timedelta(days=row * 7 % 100) for row in range(120)]
DATES = {
    "iso": [str(day) for day in DAYS],
    "german": [f"{day:%d.%m.%Y}" for day in DAYS],
    "moments": [pd.Timestamp(day) + pd.Timedelta(hours=5) for day in DAYS],
    "days": DAYS,
}


def inspected(labels, **config):
    return sensorium.inspect({"x": NUMBERS, "y": labels}, "y", config=config)


def fitted(labels, **config):
    return sensorium.fit({"x": NUMBERS, "y": labels}, "y", config=config, epochs=1, progress=False)


@pytest.mark.parametrize("form", ["iso", "german"])
def test_dates_as_text_are_told_to_be_no_target(form):
    found = inspected(DATES[form])
    assert found.target["task"] == "multiclass"
    assert "cannot be a target" in found.target["caution"] and "days since" in found.target["caution"]
    told = [said["cure"] for said in fitted(DATES[form]).card["notices"]]
    assert any("cannot be a target" in cure for cure in told)


@pytest.mark.parametrize("form", ["moments", "days"])
def test_typed_dates_are_no_target(form):
    for run in (inspected, fitted):
        with pytest.raises(SchemaError, match="the target contains dates or times") as caught:
            run(DATES[form])
        assert "days since" in str(caught.value) and "--task" not in str(caught.value)


@pytest.mark.parametrize("form", DATES)
def test_dates_are_no_amounts_whatever_is_asked_for(form):
    with pytest.raises(SchemaError, match="the target contains dates or times") as caught:
        fitted(DATES[form], task="regression")
    assert "days since" in str(caught.value) and "--task" not in str(caught.value)
    assert "cannot be a target" in inspected(DATES[form], task="regression").target["caution"]


def test_durations_are_seconds_and_so_are_the_answers():
    labels = [pd.Timedelta(minutes=1 + row * 37 % 500) for row in range(120)]
    assert "predictions are in seconds" in inspected(labels).target["caution"]
    model = fitted(labels)
    assert any("predictions are in seconds" in said["cure"] for said in model.card["notices"])
    assert model.predict({"x": [5.0]})[0] > 500  # no minutes


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([f"{row % 9},{row % 10} kg" if row % 3 else "800 g" for row in range(120)], "'800 g'"),
        ([f"{row * 7 % 400} {'€' if row % 2 else '$'}" for row in range(120)], "2 currencies"),
    ],
)
def test_amounts_of_several_units_are_told_where_they_become_classes(labels, said):
    found = inspected(labels)
    assert found.target["task"] == "multiclass" and said in found.target["caution"]
    assert any(said in notice["cure"] for notice in fitted(labels).card["notices"])


@pytest.mark.parametrize(
    "labels", [["3:1", "2:2", "0:1"] * 40, ["A1", "B2", "C3"] * 40, ["10115", "01067", "80331"] * 40]
)
def test_nothing_is_told_of_plain_classes(labels):
    assert "read as classes:" not in inspected(labels).target["caution"]


def test_limits_of_a_target_are_told_without_a_view_that_only_columns_have():
    cells = ["<5" if row % 9 == 0 else f"{row % 31 + 7}.5" for row in range(80)]
    found = sensorium.inspect({"x": [row % 7 for row in range(80)], "amount": cells}, "amount").target
    assert found["task"] == "regression"
    for text in (found["reason"], found["caution"]):
        assert "'<5'" in text and "read as the limit (--set table.censored=missing" in text
        assert "amount.censored" not in text
