"""Rows of one unit, such as a patient, are aggregated to one prediction and one label."""

import numpy as np
import pytest

from sensorium.errors import SchemaError
from sensorium.evaluate import Units, unit_groups, unit_labels
from sensorium.table import open_table
from sensorium.tasks import EncodedTarget

pytestmark = pytest.mark.unit
NAN = float("nan")


def units_of(values):
    return Units.of(open_table({"patient": values, "x": [1.0] * len(values)}).column("patient"))


def labels(values, known=None):
    values = np.asarray(values)
    known = np.ones(len(values), bool) if known is None else np.array(known, bool)
    return EncodedTarget(values, known, [])


def test_units_are_in_the_order_of_their_first_rows_and_spelling_does_not_part_them():
    units = units_of(["p2", "p1", " P2", None, "p1", None])
    assert units.of_rows.tolist() == [0, 1, 0, 2, 1, 3]
    assert units.first.tolist() == [0, 1, 3, 5]
    assert units.unnamed.tolist() == [3, 5]
    assert units.sizes.tolist() == [2, 2, 1, 1]
    assert [(problem.row, problem.column) for problem in units.problems()] == [(3, "patient"), (5, "patient")]


def test_scores_are_averaged_over_the_rows_that_have_a_value():
    units = units_of(["a", "a", "b", "b", "a"])
    scores = np.array([[0.2, 0.8], [0.4, 0.6], [0.5, 0.5], [0.1, 0.9], [0.9, 0.1]])
    present = np.array([True, True, False, False, False])
    found = units.mean(scores, present)
    assert found == pytest.approx(np.array([[0.3, 0.7], [0.3, 0.7]]))  # no row of b has a value: the mean of both


def test_the_label_of_a_unit_is_that_of_its_labelled_rows():
    found = unit_labels(labels([1, 0, 0, 0], [True, False, True, False]), units_of(["a", "a", "b", "c"]), "y")
    assert found.known.tolist() == [True, True, False]
    assert found.values.tolist() == [1, 0, 0]
    assert found.values.dtype == np.int64
    assert not found.problems


def test_units_whose_rows_differ_are_left_out_and_reported():
    found = unit_labels(labels([1.5, 2.5, 3.0, 3.0 + 1e-12, 4.0]), units_of([1, 1, 2, 2, 3]), "y")
    assert found.known.tolist() == [False, True, True]
    assert [problem.reason for problem in found.problems] == [
        "1 unit of 3 whose rows have different labels of 'y': not scored"
    ]


def test_labels_that_differ_in_most_units_are_an_error():
    with pytest.raises(SchemaError, match=r"different labels, in 2 of 3 units with 4 of 5 rows") as error:
        unit_labels(labels([0, 1, 1, 0, 1]), units_of([1, 1, 2, 2, 3]), "y")
    assert "omit --by" in error.value.cure


def test_of_several_labels_all_must_agree_and_of_several_targets_each():
    both = labels(np.array([[1.0, 0], [1, 1], [0, 1], [0, 1], [1, 1]], np.float32))
    of = units_of([1, 1, 2, 2, 3])
    assert unit_labels(both, of, "tags").known.tolist() == [False, True, True]
    several = labels([[1.0, 5], [1, NAN], [0, 7], [1, 7], [NAN, 8]])
    found = unit_labels(several, of, "y", several=True)
    assert found.known.tolist() == [True, True, True]
    assert np.array_equal(found.values, [[1, 5], [NAN, 7], [NAN, 8]], equal_nan=True)


def test_groups_that_share_a_unit_are_one_group():
    units = units_of(["a", "a", "b", "c", "d"])
    assert unit_groups(units, None) is None
    assert unit_groups(units, np.array([1, 1, 2, 3, 4])) is None  # each unit is a group of its own
    joined = unit_groups(units, np.array([1, 2, 2, 3, 3]))
    assert joined[0] == joined[1] and joined[2] == joined[3] and joined[0] != joined[2]
