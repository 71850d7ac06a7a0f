"""A model that was fitted on lists reads numbers with separators and without brackets."""

import numpy as np
import pytest

from sensorium.modalities.series import Series
from sensorium.modalities.vector import Vector
from sensorium.table import open_table

LISTS = [[10.0, 9.5, 9.0], [11.0, 10.5, 8.0], [8.5, 9.0, 7.0], [7.5, 6.0, 5.0]]


def column(cells):
    return open_table({"weights": cells}).column("weights")


def encoded(kind, training, cells):
    return kind.learn(column(training)).encode(column(cells))


@pytest.mark.parametrize("kind", [Series, Vector])
@pytest.mark.parametrize("training", [LISTS, [str(cell) for cell in LISTS]])
@pytest.mark.parametrize(
    "text",
    ["10, 9.5, 9", "10,9.5,9", "10 9.5 9", "10;9.5;9", "10; 9.5; 9", "10|9.5|9", "10,0; 9,5; 9", " 1e1\t9.5\t9 "],
)
def test_any_separator_gives_the_list(kind, training, text):
    found = encoded(kind, training, [text, "[10, 9.5, 9]"])
    assert found.present.all() and not found.problems
    np.testing.assert_array_equal(found.values[0], found.values[1])


def test_a_gap_is_a_gap():
    found = encoded(Series, LISTS, ["10, nan, 9", "[10, null, 9]"])
    assert found.present.all()
    np.testing.assert_array_equal(found.values[0], found.values[1])


@pytest.mark.parametrize("text", ["measured twice", "12:30", "10", "scan 10.csv", "10, heavy, 9"])
def test_other_text_is_reported(text):
    found = encoded(Series, LISTS, [text, "[1, 2]"])
    assert found.present.tolist() == [False, True]
    assert [problem.row for problem in found.problems] == [0]
