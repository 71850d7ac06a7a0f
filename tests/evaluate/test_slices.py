"""Rows are cut into slices by any column, and each slice is scored with an interval and against the other rows."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outcomes import outcome

from sensorium.evaluate import Slices, Units, evaluate_outcome
from sensorium.evaluate.slices import (
    cut_column,
    cut_dates,
    cut_numbers,
    cut_present,
    cut_sets,
    cut_values,
    score_cut,
)
from sensorium.evaluate.slices.limits import number_limits
from sensorium.metrics import Outcome
from sensorium.table import open_table

pytestmark = pytest.mark.unit


def sizes(cut):
    return dict(zip(cut.values, cut.rows.sum(1).tolist(), strict=True))


def test_values_are_slices_and_so_are_rows_without_one():
    cut = cut_values("site", ["b", None, "a", "b", None])
    assert sizes(cut) == {"b": 2, "a": 1, "(missing)": 2}


def test_rare_values_share_a_slice():
    cut = cut_values("city", [f"c{k}" for k in range(25) for _ in range(25 - k)])
    assert len(cut.values) == 21 and cut.merged == 5
    assert sizes(cut)["(other values)"] == 5 + 4 + 3 + 2 + 1


def test_numbers_are_cut_at_round_limits_near_the_quartiles():
    ages = np.random.default_rng(0).normal(50, 15, 1000)
    ages[::100] = np.nan
    cut = cut_numbers("age", ages)
    assert cut.values == ["< 40", "40 to < 50", "50 to < 60", "≥ 60", "(missing)"]
    assert (cut.rows.sum(0) == 1).all()
    assert cut.rows[0].sum() == (ages < 40).sum()
    assert cut.rows[-1].sum() == 10


def test_few_different_numbers_are_cut_by_value_in_their_order():
    assert cut_numbers("stars", np.array([10.0, 5, 2.5, 10, 5])).values == ["2.5", "5", "10"]


def test_a_value_that_many_rows_have_is_a_range_of_its_own():
    visits = np.concatenate([np.zeros(600), np.arange(1, 401)])
    cut = cut_numbers("visits", visits)
    assert sizes(cut)["< 1"] == 600


@settings(max_examples=25)
@given(st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=80), st.floats(1e-4, 1e4))
def test_ranges_have_enough_rows_and_names_say_the_limits(values, scale):
    values = np.array(values) * scale
    limits = [limit.value for limit in number_limits(values)]
    assert limits == sorted(limits)
    counts = np.histogram(values, [-np.inf, *limits, np.inf])[0]
    assert (counts >= len(values) / 8).all()
    assert all(float(limit.name) == limit.value for limit in number_limits(values))


def test_dates_are_cut_at_the_start_of_years_months_days_or_hours():
    def begin(year, month=1, day=1, hour=0):
        return datetime(year, month, day, hour, tzinfo=UTC).timestamp()

    def evenly(start, end):
        return np.linspace(start, end, 400)

    assert cut_dates("when", evenly(begin(2000), begin(2020))).values[1] == "2005 to < 2010"
    assert cut_dates("when", evenly(begin(2021), begin(2022))).values[1] == "2021-04 to < 2021-07"
    assert cut_dates("when", evenly(begin(2021, 3, 1), begin(2021, 3, 9))).values[1] == "2021-03-03 to < 2021-03-05"
    assert cut_dates("when", evenly(begin(2021, 3, 1), begin(2021, 3, 1, 12))).values[0] == "< 2021-03-01 03:00"


def test_a_row_is_in_the_slice_of_each_of_its_tags():
    assert sizes(cut_sets("tags", [["a", "b"], ["b"], [], None])) == {"b": 2, "a": 1, "(missing)": 1}


def test_rare_tags_that_have_no_slice_are_counted():
    cut = cut_sets("tags", [[f"tag {number}"] for number in range(25)])
    assert (len(cut.values), cut.merged, cut.overlapping) == (20, 5, True)


def test_modalities_that_are_present_are_slices():
    cut = cut_present({"image": np.array([1, 1, 0, 0], bool), "text": np.array([1, 0, 0, 1], bool)})
    assert sizes(cut) == {"(nothing)": 1, "image": 1, "image + text": 1, "text": 1}


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1.234,50 €", "999,00 €", None] * 4, ["999", "1234.5", "(missing)"]),
        ([True, False, None] * 4, ["false", "true", "(missing)"]),
        ([["x", "y"], ["y"]] * 6, ["y", "x"]),
        (["A ", "A", "B"] * 4, ["A", "B"]),
        ([f"2024-{month:02}-01" for month in range(1, 13)], ["< 2024-04", "2024-04 to < 2024-07"]),
    ],
)
def test_cells_of_any_column_are_read(cells, values):
    column = open_table({"c": cells, "row": list(range(len(cells)))}).column("c")
    assert cut_column(column).values[: len(values)] == values


def test_columns_of_texts_have_no_slices():
    assert cut_column(open_table({"c": [f"note number {n} of the day" for n in range(60)]}).column("c")) is None


def test_units_are_in_the_slice_that_all_of_their_rows_are_in():
    units = Units.of(open_table({"p": ["a", "a", "b", "b", "c"]}).column("p"))
    table = open_table({"ward": ["x", "x", "x", "y", "y"], "age": [1.0, 3.0, 10.0, None, None]})
    assert sizes(cut_column(table.column("ward"), units=units)) == {"x": 1, "y": 1, "(several values)": 1}
    assert sizes(cut_column(table.column("age"), "number", units=units)) == {"2": 1, "10": 1, "(missing)": 1}


def test_each_slice_has_the_metrics_of_its_rows_and_the_difference_to_the_others():
    whole = outcome(np.arange(200) % 10 >= np.where(np.arange(200) < 100, 1, 4))  # right in 90% and in 60% of the rows
    cut = cut_values("half", ["first"] * 100 + ["second"] * 95 + [None] * 5)
    first, second, missing = score_cut(whole, cut, ["accuracy"], "accuracy")
    assert (first.name, first.n, first.rough) == ("half = first", 100, False)
    assert first.metrics == evaluate_outcome(whole.take(np.arange(100)), ["accuracy"]).metrics == {"accuracy": 0.9}
    assert first.difference.value == pytest.approx(0.3) and first.difference.interval[0] > 0.15
    assert second.difference.interval[1] < 0
    assert missing.rough and missing.n == 5


def test_difference_of_a_loss_is_negative_in_a_worse_slice():
    truth = np.zeros(100)
    scores = np.where(np.arange(100) < 50, 1.0, 3.0) * np.random.default_rng(0).normal(1, 0.1, 100)
    cut = cut_values("half", ["first"] * 50 + ["second"] * 50)
    first, second = score_cut(Outcome(truth, scores, scores), cut, ["rmse"], "rmse")
    assert first.difference.value > 1.5 > -1.5 > second.difference.value


def test_groups_are_resampled_as_a_whole():
    rows = np.repeat(np.arange(40), 10)
    whole = outcome(np.arange(40) % 3 > 0).take(rows).grouped(rows)
    cut = cut_values("half", ["first"] * 200 + ["second"] * 200)
    plain = score_cut(whole.grouped(None), cut, ["accuracy"], "accuracy")[0]
    grouped = score_cut(whole, cut, ["accuracy"], "accuracy")[0]
    assert grouped.groups == 20

    def width(own):
        return own.difference.interval[1] - own.difference.interval[0]

    assert width(grouped) > 2 * width(plain)


def test_metric_that_a_slice_does_not_define_is_null():
    whole = outcome([True, False] * 20)
    cut = cut_values("class", [str(label) for label in whole.truth])
    slices = Slices("roc_auc", {"class": score_cut(whole, cut, ["roc_auc"], "roc_auc")})
    found = json.loads(json.dumps(slices.to_json(), allow_nan=False))
    assert found["columns"]["class"][0]["metrics"] == {"roc_auc": None}
    assert str(slices).splitlines()[0] == "roc_auc by class"
