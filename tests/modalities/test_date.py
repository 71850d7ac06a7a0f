"""Dates and times: formats, doubts, features."""

import datetime
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorium.modalities.date import Date
from sensorium.table import open_table

DAY = 86_400


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


def seconds_of(cells, **options):
    """Seconds since 1970 that the cells were read as."""
    learnt = Date.learn(column(cells), **options)
    return learnt.encode(column(cells)).values[:, 0] * learnt.deviation + learnt.mean


@pytest.mark.parametrize(
    "texts",
    [
        ["2026-01-31", "2026-02-01"],
        ["31/01/2026", "01/02/2026"],
        ["01/31/2026", "02/01/2026"],
        ["31-Jan-2026", "01-Feb-2026"],
        ["January 31, 2026", "February 01, 2026"],
        ["2026年01月31日", "2026年02月01日"],
        ["2026/01/31", "2026/02/01"],
        [datetime.date(2026, 1, 31), datetime.date(2026, 2, 1)],
    ],
)
def test_usual_formats_are_read_off_the_values(texts):
    assert Date.looks_like(column(texts)).confidence > 0.9
    start = datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC).timestamp()
    assert seconds_of(texts) == pytest.approx([start, start + DAY], rel=1e-6)


def test_day_or_month_first_is_asked_when_both_would_do():
    doubtful = column(["01/02/2026", "03/04/2026"])
    assert "month first" in Date.looks_like(doubtful).caution
    day, month = (seconds_of(["01/02/2026", "03/04/2026"], day_first=first) for first in (True, False))
    assert (day[0] - month[0]) / DAY == pytest.approx(30, abs=0.1)


def test_features_are_the_place_in_year_and_week():
    moments = [datetime.datetime(2026, 4, 1), datetime.datetime(1965, 12, 30), datetime.datetime(2000, 2, 29)]
    features = Date.learn(column(moments)).encode(column(moments)).values
    assert features.shape == (3, 5)
    for row, moment in zip(features, moments, strict=True):
        since = (moment - datetime.datetime(1970, 1, 1)).total_seconds()
        year = 2 * math.pi * since / (365.2425 * DAY)
        week = 2 * math.pi * moment.weekday() / 7
        assert row[1:] == pytest.approx([math.sin(year), math.cos(year), math.sin(week), math.cos(week)], abs=1e-3)


def test_a_time_of_day_adds_its_place_in_the_day():
    moments = [datetime.datetime(2026, 4, 1, 6), datetime.datetime(2026, 4, 2, 18)]
    features = Date.learn(column(moments)).encode(column(moments)).values
    assert features[:, 5:].tolist() == pytest.approx(np.array([[1, 0], [-1, 0]]), abs=1e-3)


def test_a_zone_is_honoured():
    east, utc = seconds_of(["2026-01-01T12:00:00+02:00", "2026-01-01T10:00:00Z"])
    assert east == pytest.approx(utc, abs=1)


def test_what_is_no_date_is_missing_and_told():
    encoded = Date.learn(column(["2026-01-31", "2026-02-01"])).encode(
        column(["2026-02-30", "soon", None, "2026-02-01"])
    )
    assert encoded.present.tolist() == [False, False, False, True]
    assert [(p.row, p.value) for p in encoded.problems] == [(0, "2026-02-30"), (1, "soon")]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.text(max_size=15), st.datetimes().map(str)), min_size=1, max_size=5))
def test_any_text_is_a_finite_date_or_missing(texts):
    learnt = Date.learn(column(["2026-01-31", "2026-02-01"]))
    encoded = learnt.encode(column([*texts, "x"]))
    assert np.isfinite(encoded.values).all()
    assert not encoded.present[-1]
