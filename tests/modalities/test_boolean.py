"""Booleans: every usual spelling, nothing else."""

import pytest

from sensorium.modalities.boolean import Boolean
from sensorium.table import open_table

pytestmark = pytest.mark.unit

YES = ["true", "True", "TRUE", " yes ", "Y", "t", "on", "1", "1.0"]
NO = ["false", "False", "NO", "n", "F ", "off", "0", "0.0"]


def encode(cells):
    column = open_table({"c": cells, "row": list(range(len(cells)))}).column("c")
    return Boolean.learn(column).encode(column)


@pytest.mark.parametrize(("text", "sign"), [(t, 1) for t in YES] + [(t, -1) for t in NO])
def test_every_usual_spelling_is_read(text, sign):
    encoded = encode([text, "neither"])
    assert encoded.values[0].tolist() == [sign]
    assert encoded.present.tolist() == [True, False]


@pytest.mark.parametrize("cell", ["2", "-1", "yes no", "y e s", "ja", "\0", "0.5", "truе"])
def test_what_is_neither_is_missing_and_told(cell):
    encoded = encode(["yes", cell])
    assert encoded.present.tolist() == [True, False]
    assert encoded.values[1].tolist() == [0]
    assert [(p.row, p.value, p.reason) for p in encoded.problems] == [(1, cell, "neither yes nor no: read as missing")]


def test_a_missing_cell_is_no_problem():
    assert encode([True, None, False]).present.tolist() == [True, False, True]
    assert not encode([True, None, False]).problems


@pytest.mark.parametrize(
    ("cells", "confident"),
    [
        (["yes", "no", "no"], True),
        ([0, 1, 1], True),
        ([0.0, 1.0, None], True),
        ([1, 1, 1], False),
        (["yes", "off"], False),
        ([0, 1, 2], False),
        (["yes", "no", "maybe"], False),
        ([None, None], False),
    ],
)
def test_a_column_is_boolean_where_it_holds_just_one_pair(cells, confident):
    column = open_table({"c": cells, "row": list(range(len(cells)))}).column("c")
    assert bool(Boolean.looks_like(column)) == confident
