"""Dates and times: formats, doubts, features."""

import datetime
import math

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import sensorium
from sensorium.config import TableConfig
from sensorium.errors import ArtifactError
from sensorium.modalities.date import Date
from sensorium.table import SpeltDates, open_table

pytestmark = pytest.mark.unit

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


HOURS = [datetime.datetime(2019, 1, 1) + datetime.timedelta(hours=211 * k) for k in range(80)]


def seen(cells, name="v", **options):
    config = {"modalities": {name: options}} if options else None
    return sensorium.inspect({name: cells, "y": ["a", "b"] * (len(cells) // 2)}, "y", config=config).columns[0]


@pytest.mark.parametrize(
    "form",
    [
        "%m/%d/%Y %I:%M %p",
        "%d.%m.%Y %H:%M",
        "%Y/%m/%d %H:%M",
        "%Y.%m.%d",
        "%Y-%m-%d %H:%M:%S UTC",
        "%Y年%m月%d日 %H:%M",
        "%a, %d %b %Y %H:%M:%S GMT",
        "%Y-%m",
        "%m/%Y",
        "%b %Y",
        "%Y-W%V",
    ],
)
def test_columns_of_real_tables_are_dates_without_a_caution(form):
    found = seen([hour.strftime(form) for hour in HOURS])
    assert (found.modality, found.caution, found.unreadable) == ("date", "", [])


@pytest.mark.parametrize("form", ["%m/%d/%y", "%d.%m.%y", "%y-%m-%d"])
def test_years_of_two_digits_are_told_with_their_setting(form):
    cells = [hour.strftime(form) for hour in HOURS]
    found = seen(cells)
    assert found.modality == "date"
    assert found.caution.count("1950 to 2049") == 1
    assert "modalities.v.pivot" in found.caution
    assert seen(cells, pivot=19).caution == ""  # whoever has set it needs no advice
    early = Date.learn(column(cells), pivot=19).encode(column(cells[:1]))
    assert early.present.all()


def test_nobody_is_born_in_the_future():
    cells = open_table({"date_of_birth": [f"{1 + k:02d}/06/{45 + k}" for k in range(28)], "row": list(range(28))})
    assert Date.learn(cells.column("date_of_birth")).mean < 0


def test_words_among_dates_are_gaps_and_told():
    for every in (7, 2):
        found = seen(["n.b." if k % every == 0 else hour.strftime("%d.%m.%Y") for k, hour in enumerate(HOURS)])
        assert found.modality == "date"
        assert "'n.b.'" in found.caution
        assert found.undecodable == len(range(0, 80, every))


def test_a_column_of_two_orders_is_no_date_and_says_why():
    found = seen([hour.strftime("%d/%m/%Y" if k % 2 else "%m/%d/%Y") for k, hour in enumerate(HOURS)])
    assert found.modality != "date"
    assert "another order of day and month" in found.caution


def test_times_of_day_and_pairs_of_years_are_no_dates_and_told():
    assert "times of day" in seen([f"{k % 24}:30" for k in range(80)]).caution
    assert seen([f"{2003 + k % 9}-{4 + k % 9:02d}" for k in range(80)]).modality != "date"


@pytest.mark.parametrize(("unit", "scale"), [("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)])
def test_numbers_that_count_from_1970_are_dates(unit, scale):
    moments = [int(hour.replace(tzinfo=datetime.UTC).timestamp()) for hour in HOURS]
    cells = [int(moment * scale) for moment in moments]
    named, plain = seen(cells, "created_at"), seen(cells)
    assert (named.modality, named.caution) == ("date", "")
    assert "since 1970, from 2019-01-01" in named.reason
    assert plain.modality == "date"
    assert "--modality v=number" in plain.caution
    learnt = Date.learn(column(cells))
    assert learnt.unit == unit
    assert (learnt.mean, learnt.clock) == (pytest.approx(np.mean(moments)), True)
    as_text = learnt.encode(column([f"{cells[3]} ", "2019-01-01", None]))
    assert as_text.present.tolist() == [True, True, False]
    assert as_text.values[0, 0] == pytest.approx(learnt.encode(column(cells)).values[3, 0], abs=1e-4)


def test_numbers_in_another_unit_than_training_are_missing_and_told():
    learnt = Date.learn(column([1_700_000_000 + 86_400 * k for k in range(30)]))
    encoded = learnt.encode(column([1_700_000_000_000, 1_700_000_000]))
    assert encoded.present.tolist() == [False, True]
    assert "not plausible as seconds" in encoded.problems[0].reason
    assert "modalities.c.unit=ms" in encoded.problems[0].cure


@pytest.mark.parametrize("form", ["%Y%m%d", "%Y%m", "%Y%m%d%H%M%S", "%Y.%m"])
def test_digits_that_all_are_dates(form):
    cells = [hour.strftime(form) for hour in HOURS]
    assert seen(cells).modality == "date"
    assert "--modality v=number" in seen(cells).caution
    assert seen(cells, "visit_date").caution == ""
    plain = [datetime.datetime.strptime(cell, form).isoformat(" ") for cell in cells]
    assert seconds_of(cells) == pytest.approx(seconds_of(plain), abs=100)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("phone", [2_025_550_100 + 9_973_817 * k for k in range(80)]),
        ("phone_number", [1_500_000_000 + 99_738_17 * k for k in range(30)]),
        ("v", [2_000_000_000 + (99_999_989 * k) % 7_999_999_999 for k in range(80)]),
        ("elapsed_time", [1_500_000_000 + (99_738_171 * k) % 300_000_000 for k in range(80)]),
        ("v", [10_000_000 + (7_654_321 * k) % 89_999_999 for k in range(80)]),
        ("price", [180_000 + (7919 * k) % 40_000 for k in range(80)]),
        ("year", [1990 + k % 30 for k in range(80)]),
        ("v", [f"{k % 13}.{k % 7}.{k % 11}" for k in range(80)]),
        ("v", [f"10.0.{k}.{k * 3 % 256}" for k in range(80)]),
        ("v", [f"{10001 + 37 * k}-{1000 + k * 91}" for k in range(80)]),
        ("v", [f"{k % 6}-{k % 4}" for k in range(80)]),
        ("v", [f"{1 + k % 11}/{1 + k % 7}" for k in range(80)]),
        ("v", [f"A{k:03d}" for k in range(80)]),
    ],
)
def test_ids_phones_versions_and_scores_are_no_dates(name, cells):
    assert Date.looks_like(open_table({name: cells, "row": list(range(len(cells)))}).column(name)) is None


def test_day_and_month_swapped_is_told_of_the_whole_column():
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=k) for k in range(365)]
    learnt = Date.learn(column([f"{day:%d/%m/%Y}" for day in days]))
    assert learnt.encode(column([f"{day:%d/%m/%Y}" for day in days])).problems == []
    encoded = learnt.encode(column([f"{day:%m/%d/%Y}" for day in days]))
    whole = [problem for problem in encoded.problems if problem.row is None]
    assert len(whole) == 1
    assert "may have day and month swapped" in whole[0].reason
    assert whole[0].cure == "write dates as 2026-01-31"  # training has shown the order: another would be wrong
    cells = {problem.row for problem in encoded.problems if problem.row is not None}
    assert cells == {k for k, day in enumerate(days) if day.day > 12}
    assert all("fits only month first" in p.reason for p in encoded.problems if p.row is not None)


def test_a_cell_is_read_the_same_whatever_stands_beside_it():
    learnt = Date.learn(column(["31/01/2026", "01/02/2026"]))
    cells = ["03/04/2026", "12/25/2026", "2026-04-03", "3 Apr 2026", "03.04.26"]
    together = learnt.encode(column(cells))
    for row, cell in enumerate(cells):
        alone = learnt.encode(column([cell]))
        assert (alone.values == together.values[[row]]).all()
        assert alone.present[0] == together.present[row]


def test_an_order_that_training_did_not_show_is_not_guessed():
    encoded = Date.learn(column(["2026-01-31", "2026-02-01"])).encode(column(["03/04/2026", "2026/04/03"]))
    assert encoded.present.tolist() == [False, True]
    assert "order of day and month is not known" in encoded.problems[0].reason


@pytest.mark.parametrize(
    ("text", "day", "said"),
    [
        ("13/04/2021", "2021-04-13", "read as day first, the only order that fits"),
        ("24.05.2020", "2020-05-24", "read as day first, the only order that fits"),
        ("04/13/2021", "2021-04-13", "read as month first, the only order that fits"),
        ("05/05/2021", "2021-05-05", "read as day first and month first, the only order that fits"),
        ("24.05.2020 10:30", "2020-05-24", "read as day first, the only order that fits"),
        ("03.04.2021", None, "the order of day and month is not known from training: read as missing"),
        ("24.05.20", None, "order of day and month is not known"),
        ("32/13/2020", None, "not a date: read as missing"),
    ],
)
def test_a_cell_with_one_reading_is_read_though_no_training_cell_shows_the_order(text, day, said):
    model = Date.learn(column(["2020-01-31", "2022-02-01", "2021-07-01"]))
    for cells in ([text], ["03/04/2021", text, "2021-01-01"]):
        place = cells.index(text)
        encoded = model.encode(column(cells))
        [problem] = [found for found in encoded.problems if found.row == place]
        assert said in problem.reason
        assert encoded.present[place] == (day is not None)
        if day is not None:
            seconds = model.moments(column(cells))[place] // DAY * DAY
            assert seconds == datetime.datetime.fromisoformat(f"{day}T00:00+00:00").timestamp()


def test_cells_are_explained_without_reading_all_of_them_each_time(monkeypatch):
    model = Date.learn(column(["2020-01-31", "2022-02-01", "2021-07-01"]))
    read, calls = SpeltDates.moments, []
    monkeypatch.setattr(SpeltDates, "moments", lambda self, *order: calls.append(order) or read(self, *order))
    counts = []
    for size in (5, 50):
        calls.clear()
        encoded = model.encode(column([f"03/04/{1950 + year}" for year in range(size)]))
        assert len(encoded.problems) == size
        counts.append(len(calls))
    assert counts[0] == counts[1] > 0


DECADE = [f"{year}-{month:02d}-15" for year in range(2010, 2021) for month in range(1, 13)]


@pytest.mark.parametrize("text", ["9999-12-31", "1900-01-01", "2200-01-01"])
def test_a_date_far_beyond_the_training_rows_is_told(text):
    model = Date.learn(column(DECADE))
    for cell in (text, datetime.date.fromisoformat(text)):
        [problem] = model.encode(column([cell])).problems
        assert "far outside the training range (2010-01-15 to 2020-12-15), by more than 10 times" in problem.reason
        assert problem.row == 0
    fields, arrays = model.state()
    old = {key: value for key, value in fields.items() if key not in ("earliest", "latest", "sentinels")}
    assert not Date.restore(old, arrays).encode(column([text])).problems
    with pytest.raises(ArtifactError, match="not valid"):
        Date.restore({**fields, "earliest": fields["latest"], "latest": fields["earliest"]}, arrays)


def test_dates_that_go_on_after_the_training_rows_are_not_told():
    assert not Date.learn(column(DECADE)).encode(column(["2035-01-01", "1950-01-01"])).problems
    week = Date.learn(column([f"2024-03-{day:02d}" for day in range(1, 8)]))
    assert not week.encode(column(["2026-01-01"])).problems


@pytest.mark.parametrize("text", ["1900-01-01", "1970-01-01", "01.01.1900", "1970-01-01 00:00:00"])
def test_days_that_stand_for_a_gap_are_told_with_the_setting_that_empties_them(text):
    days = [".".join(reversed(day.split("-"))) for day in DECADE] if "." in text else DECADE
    [found] = Date.learn(column([*days, *[text] * 4])).findings("c")
    assert found.reason.startswith(f"4 cells ({text!r}) in the training rows lie far from the other values")
    setting = yaml.safe_load(found.cure.split("'")[1].split("=", 1)[1])
    emptied = open_table({"c": [*days, *[text] * 4]}, TableConfig(missing=setting)).column("c")
    assert emptied.data.null_count == 4
    assert not Date.learn(emptied).findings("c")
    assert sensorium.inspect({"c": [*days, *[text] * 4]}).columns[0].caution


def test_days_of_arrow_that_stand_for_a_gap_are_emptied_too():
    days = [datetime.date.fromisoformat(day) for day in DECADE]
    for gap in (datetime.date(1970, 1, 1), datetime.datetime(1970, 1, 1)):
        cells = [*(datetime.datetime.combine(day, datetime.time()) if hasattr(gap, "hour") else day for day in days)]
        assert "1970-01-01" in Date.learn(column([*cells, gap, gap])).findings("c")[0].cure
        table = open_table({"c": [*cells, gap, gap]}, TableConfig(missing=["", "1970-01-01"]))
        assert table.column("c").data.null_count == 2
        assert not [found for found in table.problems if "outside the years" in found.reason]


def test_days_among_the_others_are_no_sentinels():
    born = [f"{year}-05-17" for year in range(1925, 2005)]
    assert not Date.learn(column([*born, *["1970-01-01"] * 4, *["1900-01-01"] * 2])).findings("c")
    assert not Date.learn(column([*DECADE, "1970-01-01"])).findings("c")


def test_doubts_are_told_once_in_inspect_and_in_fit():
    cells = [f"{1 + k % 12:02d}/{1 + k % 11:02d}/2026" for k in range(60)]
    found = seen(cells)
    assert found.caution.count("day_first=false") == 1
    told = Date.learn(column(cells)).findings("c")
    assert [(problem.row, problem.cure) for problem in told] == [(None, "--set modalities.c.day_first=false")]
    assert Date.learn(column(cells), day_first=True).findings("c") == []


def test_months_among_days_and_times_without_a_zone_are_told():
    months = Date.learn(column(["2026-01", "2026-02-03", "2026-03"])).findings("c")
    assert "first day" in months[0].reason
    assert "2 cells in the training rows" in months[0].reason
    zones = Date.learn(column(["2026-01-31 10:00 IST", "2026-01-31 11:00"])).findings("c")
    assert [problem.reason for problem in zones] == [
        "times without a zone are read as UTC (1 cell in the training rows)",
        "the time zone IST is read as UTC+05:30",
    ]


@pytest.mark.parametrize(
    ("form", "text", "day"),
    [
        ("%d/%m/%Y", "03/04/2026", "2026-04-03"),
        ("%m/%d/%Y %H:%M", "03/04/2026 00:00", "2026-03-04"),
        ("%d.%m.%Y", "03.04.2026", "2026-04-03"),
        ("%d-%b-%Y", "03-Apr-2026", "2026-04-03"),
        ("ISO 8601", "2026-04-03", "2026-04-03"),
    ],
)
def test_models_of_before_read_as_they_did(form, text, day):
    learnt = Date.restore({"format": form, "mean": 0.0, "deviation": 1.0, "clock": False}, {})
    moment = datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.UTC).timestamp()
    assert learnt.encode(column([text])).values[0, 0] == pytest.approx(moment, rel=1e-6)
    assert Date.restore(*learnt.state()) == learnt
