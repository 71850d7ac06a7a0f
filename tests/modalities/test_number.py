"""Numbers: what is read, what is missing, what is told."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorium.modalities.number import Number, numbers
from sensorium.registry import modalities
from sensorium.table import open_table

pytestmark = pytest.mark.unit


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


@pytest.mark.parametrize(
    ("text", "value", "exact"),
    [
        ("12", 12, True),
        (" 1,200.5 ", 1200.5, True),
        ("$3.50", 3.5, True),
        ("12%", 12, True),
        ("-1e3", -1000, True),
        (".5", 0.5, True),
        ("about 7", 7, False),
        ("91-92", 91.5, False),
        ("91 to 92", 91.5, False),
    ],
)
def test_text_is_read_as_a_person_would(text, value, exact):
    rest = [f"{number}{'%' if '%' in text else ''}" for number in (80, 85, 90, 100)]
    values, problems = numbers(column([text, "no number at all", *rest]))
    assert values[0] == value
    assert [p.row for p in problems] == ([1] if exact else [0, 1])
    assert problems[-1].reason == "not a number: read as missing"
    assert problems[-1].value == "no number at all"


@pytest.mark.parametrize("text", ["NA", "n/a", "-", "?", "NULL", "nan"])
def test_usual_spellings_of_a_missing_number_are_no_problem(text):
    values, problems = numbers(column([text, "1 or 2"]))
    assert math.isnan(values[0])
    assert [p.row for p in problems] == [1]


@pytest.mark.parametrize("cells", [[1.0, math.inf, -math.inf], ["1", "inf", "-Infinity"]])
def test_infinite_numbers_are_missing_and_counted(cells):
    encoded = Number(0, 1, np.zeros(1, np.float32)).encode(column(cells))
    assert encoded.present.tolist() == [True, False, False]
    assert [p.row for p in encoded.problems] == [1, 2]
    assert all("infinite" in p.reason for p in encoded.problems)


def test_whole_numbers_that_a_float_cannot_hold_are_counted():
    encoded = Number(0, 1, np.zeros(1, np.float32)).encode(column([1, 2**53, 2**53 + 1, -(2**62)]))
    assert encoded.present.all()
    assert [p.row for p in encoded.problems] == [2, 3]
    assert "2^53" in encoded.problems[0].reason
    assert "category" in encoded.problems[0].cure


def test_values_are_standardised_by_the_training_rows():
    learnt = Number.learn(column([1.0, 2.0, 3.0, None]))
    encoded = learnt.encode(column([2.0, 2.0 + math.sqrt(2 / 3), None]))
    assert encoded.values[:, 0] == pytest.approx([0, 1, 0])
    assert encoded.present.tolist() == [True, True, False]


@pytest.mark.parametrize("cells", [[3, 3, 3], [1e300, -1e300], [1e-320, 2e-320], [5]])
def test_extreme_columns_encode_to_finite_values(cells):
    learnt = Number.learn(column(cells))
    assert np.isfinite(learnt.encode(column([*cells, 0])).values).all()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.none(), st.text(max_size=12), st.floats().map(repr)), min_size=1, max_size=8))
def test_any_text_is_a_finite_number_or_missing(texts):
    given_ = column([*texts, "x"])
    encoded = modalities.load("number").learn(given_).encode(given_)
    assert np.isfinite(encoded.values).all()
    assert len(encoded.present) == len(texts) + 1
    assert not encoded.present[-1]
