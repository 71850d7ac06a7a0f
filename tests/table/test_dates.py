"""Dates that text spells: each spelling with the moment that it means, whatever stands around it."""

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorium.table import date_order, read_dates

pytestmark = pytest.mark.unit

DAY = datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC)


def moments(texts, order="dmy", pivot=50):
    dates = read_dates(pa.array(texts, pa.string()))
    return [None if np.isnan(second) else second for second in dates.of_cells(dates.moments(order, pivot), np.nan)]


def seconds(*when):
    return datetime.datetime(*when, tzinfo=datetime.UTC).timestamp()


MIDNIGHT = """
2026-01-31 | 2026-1-31 | 2026/01/31 | 2026/1/31 | 2026.01.31 | 2026. 1. 31. | 20260131 | 2026:01:31 00:00:00
2026-01-31T00:00 | 2026-01-31T00:00:00 | 2026-01-31T00:00:00Z | 2026-01-31 00:00:00 UTC | 2026-01-31 00:00:00 GMT
2026-01-31T02:00:00+02:00 | 2026-01-31T02:00+0200 | 2026-01-30 19:00:00-05 | 2026-01-30 19:00 EST | 2026-01-31Z
2026-01-31 01:00 CET | 2026-01-31T01:00+01:00[Europe/Berlin] | 2026-01-31 00:00:00 +0000 UTC | 20260131T000000Z
2026-01-31 12:00 AM | 2026-01-30 24:00 | 2026-01-31 00:00:00.000 | 2026-01-31 00:00:00,000
2026-01-31-00.00.00.000000 | 31/01/2026 | 31.01.2026 | 31-01-2026 | 31.1.2026 | 31. 1. 2026 | 31 01 2026 | 31/01/26
31.01.26 | 31/01/'26 | 31.01.2026 00:00 | 31.01.2026 00:00:00 | 31.01.2026, 00:00 Uhr | 31.01.2026 um 00:00 Uhr
Sa 31.01.2026 | 31.01.2026 (Sa) | 31/01/2026 00:00 | 31/01/2026 12:00 am | 31/01/2026 12:00 a.m.
31/01/2026 - 00:00 | 00:00 31.01.2026 | 12:00 AM 31/01/2026 | 31 January 2026 | 31-Jan-2026 | 31-Jan-26 | 31JAN2026
31 jan 2026 | 31st January 2026 | 31. Januar 2026 | 31JAN2026:00:00:00 | January 31, 2026 | Jan 31, 2026
Jan. 31, 2026 | JANUARY 31 2026 | January 31st, 2026 | Jan 31, 2026 at 12:00 AM | Saturday, January 31, 2026
Samstag, 31. Januar 2026 | samedi 31 janvier 2026 | 31 de enero de 2026 | sábado, 31 de enero de 2026
Sat, 31 Jan 2026 00:00:00 GMT | Sat, 31 Jan 2026 01:00:00 +0100 | Sat, 31 Jan 2026 01:00:00 +0100 (CET)
31 Jan 2026 00:00 UT | Sat Jan 31 00:00:00 2026 | Sat Jan 31 00:00:00 UTC 2026 | Sat Jan 31 00:00:00 +0000 2026
2026 Jan 31 | 2026-Jan-31 | Sat Jan 31 2026 01:00:00 GMT+0100 (Central European Standard Time)
[31/Jan/2026:01:00:00 +0100] | 2026-01-31_00-00-00 | 2026年1月31日 | 2026年01月31日 00:00 | 2026年1月31日 上午12:00
2026年1月31日0时0分0秒 | 2026年1月31日 星期六 | ２０２６年１月３１日 | 2026年1月31日(土) 午前0時00分
令和8年1月31日 | 民國115年1月31日 | 2026년 1월 31일 | 2026년 1월 31일 오전 12시 0분 | 2026-W05-6 | 2026W056
"2026-01-31" | '2026-01-31' | 2026‑01‑31 | 2026-01-31 00:00:00.000000000
"""
SPELLINGS = [(text.strip(), DAY.timestamp()) for line in MIDNIGHT.strip().split("\n") for text in line.split(" | ")]
OTHERS = {
    "2026-01-31 14:30": (2026, 1, 31, 14, 30),
    "31.01.2026 14:30:05": (2026, 1, 31, 14, 30, 5),
    "31.01.2026 14.30": (2026, 1, 31, 14, 30),
    "31/01/2026 2:30 PM": (2026, 1, 31, 14, 30),
    "31/01/2026 2:30:05 p.m.": (2026, 1, 31, 14, 30, 5),
    "31/01/2026 02:30PM": (2026, 1, 31, 14, 30),
    "31/01/2026 12:30 PM": (2026, 1, 31, 12, 30),
    "31/01/2026 2 pm": (2026, 1, 31, 14),
    "31-JAN-26 02.30.05.250000 PM": (2026, 1, 31, 14, 30, 5, 250_000),
    "2026年1月31日 下午2:30": (2026, 1, 31, 14, 30),
    "2026年1月31日 14时30分05秒": (2026, 1, 31, 14, 30, 5),
    "2026년 1월 31일 오후 2시 30분": (2026, 1, 31, 14, 30),
    "2026-01-31 14:30:05.25": (2026, 1, 31, 14, 30, 5, 250_000),
    "2026-01-31T14:30:05-08:00": (2026, 1, 31, 22, 30, 5),
    "2026-01-31 14:30 PST": (2026, 1, 31, 22, 30),
    "2026-01-31 20:00 +0530": (2026, 1, 31, 14, 30),
    "20260131143005": (2026, 1, 31, 14, 30, 5),
    "20260131_143005": (2026, 1, 31, 14, 30, 5),
    "31h": None,
    "1er août 2026": (2026, 8, 1),
    "3. März 2026": (2026, 3, 3),
    "29 février 2024": (2024, 2, 29),
    "29.02.2023": None,
    "2018-12": (2018, 12, 1),
    "2018/12": (2018, 12, 1),
    "12/2018": (2018, 12, 1),
    "12.2018": (2018, 12, 1),
    "Dec 2018": (2018, 12, 1),
    "December 2018": (2018, 12, 1),
    "Dec-18": (2018, 12, 1),
    "Dez. 2018": (2018, 12, 1),
    "2018年12月": (2018, 12, 1),
    "2018Q3": (2018, 7, 1),
    "2018-Q3": (2018, 7, 1),
    "Q3 2018": (2018, 7, 1),
    "3Q18": (2018, 7, 1),
    "2026-W05": (2026, 1, 26),
    "2020-W53-7": (2021, 1, 3),
    "2021-W54": None,
    "31/12/49": (2049, 12, 31),
    "31/12/50": (1950, 12, 31),
    "0001-01-01": (1, 1, 1),
}
NOTHING = """
2026-02-30 | 2026-13-01 | 31/13/2026 | 0000-00-00 | 00/00/0000 | 2026-01-31 25:00 | 2026-01-31 14:60 | soon | 12:30
2026 | 5 | 1.2.3 | 192.168.10.12 | 555-1000 | 2026-01-31 14:30 XYZ | 2026-01-31 13:00 AM | 31 foo 2026
foo 31/01/2026 | 2026-01-31 - 2026-02-05 | 31/01-2026 | Q5 2018 | 1234567890 | 1234-12 | 12345678 | 2026-01-31 or so
M7A1A | 1-4
"""
NO_DATES = [text.strip() for line in NOTHING.strip().split("\n") for text in line.split(" | ")]


@pytest.mark.parametrize(("text", "moment"), SPELLINGS)
def test_a_day_in_any_usual_spelling(text, moment):
    assert moments([text]) == [moment]


@pytest.mark.parametrize(("text", "when"), OTHERS.items())
def test_moments_to_the_second_and_beyond(text, when):
    assert moments([text]) == [pytest.approx(seconds(*when), abs=1e-6) if when else None]


def test_the_table_is_large_and_its_rows_do_not_depend_on_each_other():
    texts = [text for text, _ in SPELLINGS] + list(OTHERS) + NO_DATES
    assert len(texts) > 150
    alone = [moments([text])[0] for text in texts]
    assert moments(texts) == alone
    assert moments([None, " ", *texts])[:2] == [None, None]


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date_is_none(text):
    assert moments([text]) == [None]


FORMATS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y.%m.%d %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d-%m-%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%m-%d-%Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%b %d, %Y %I:%M:%S %p",
    "%A, %B %d, %Y %H:%M:%S",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y%m%dT%H%M%SZ",
    "%d/%b/%Y:%H:%M:%S +0000",
    "%H:%M:%S %d.%m.%Y",
    "%Y-%m-%dT%H:%M:%S+00:00",
]
SINCE_1970 = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(whens=st.lists(SINCE_1970, min_size=1, max_size=30))
def test_what_is_read_is_what_was_written(form, whens):
    # One cell that tells day from month, as a real column has.
    whens = [*whens, datetime.datetime(2026, 1, 31)]
    dates = read_dates(pa.array([when.strftime(form) for when in whens]))
    order, doubt = date_order(dates)
    found = dates.of_cells(dates.moments(order), np.nan)
    assert found.tolist() == [when.replace(tzinfo=datetime.UTC).timestamp() for when in whens]
    assert not doubt


@pytest.mark.parametrize("form", ["%d/%m/%y", "%d.%m.%y", "%m/%d/%y", "%y-%m-%d", "%d-%b-%y"])
def test_years_of_two_digits_are_read_in_their_order(form):
    whens = [datetime.datetime(2019, 1, 1) + datetime.timedelta(days=11 * k) for k in range(120)]
    dates = read_dates(pa.array([when.strftime(form) for when in whens]))
    order, doubt = date_order(dates)
    found = dates.of_cells(dates.moments(order), np.nan)
    assert found.tolist() == [when.replace(tzinfo=datetime.UTC).timestamp() for when in whens]
    assert not doubt


def test_the_order_of_a_column_is_that_of_all_its_cells():
    cells = ["01/02/2026", "03/04/2026"] * 500 + ["01/31/2026"]
    assert date_order(read_dates(pa.array(cells))) == ("mdy", "")
    assert date_order(read_dates(pa.array(cells[:-1]))) == ("dmy", "mdy")
    assert date_order(read_dates(pa.array(cells[:-1])), day_first=False) == ("mdy", "")
    assert date_order(read_dates(pa.array(["2026-01-31", "31 Jan 2026"]))) == ("", "")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_text_is_read_without_an_error(texts):
    dates = read_dates(pa.array([*texts, None], pa.string()))
    for order in ("", "dmy", "mdy", "ymd"):
        assert len(dates.of_cells(dates.moments(order), np.nan)) == len(texts) + 1
