"""Categories, booleans: closed sets of names."""

import pytest

from sensorium.modalities.boolean import Boolean
from sensorium.modalities.category import Category
from sensorium.table import open_table

pytestmark = pytest.mark.unit


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


def test_a_name_not_seen_in_training_is_unknown_and_counted():
    learnt = Category.learn(column(["a", "a", "b", "b", None]))
    encoded = learnt.encode(column(["b", "new", None, "a"]))
    assert encoded.values.tolist() == [2, 0, 0, 1]
    assert encoded.present.tolist() == [True, True, False, True]
    assert [(p.row, p.value) for p in encoded.problems] == [(1, "new")]


def test_a_rare_name_is_unknown_but_no_problem():
    learnt = Category.learn(column(["a", "a", "b", "b", "once"]))
    encoded = learnt.encode(column(["once"]))
    assert encoded.values.tolist() == [0]
    assert not encoded.problems
    assert Category.learn(column(["a", "a", "b", "b", "once"]), min_count=1).encode(column(["once"])).values[0] > 0


def test_the_most_frequent_names_are_kept():
    assert Category.learn(column(["a"] * 2 + ["b"] * 4 + ["c"] * 3), max_categories=2).levels == ["b", "c"]


def test_whole_numbers_can_be_names():
    learnt = Category.learn(column([7, 7, 2**60, 2**60]))
    assert not learnt.encode(column([2**60, 7])).problems


@pytest.mark.parametrize(
    ("cells", "signs"),
    [
        ([True, False, None], [1, -1, 0]),
        (["Yes", "no ", None], [1, -1, 0]),
        ([1, 0, None], [1, -1, 0]),
        (["T", "f", "maybe"], [1, -1, 0]),
    ],
)
def test_yes_and_no_in_their_spellings(cells, signs):
    encoded = Boolean.learn(column(cells)).encode(column(cells))
    assert encoded.values[:, 0].tolist() == signs
    assert encoded.present.tolist() == [True, True, False]
    assert [p.row for p in encoded.problems] == ([2] if cells[2] else [])


@pytest.mark.parametrize(
    ("levels", "cells", "places"),
    [
        (["1.10", "1.20"], [1.1, 1.2, 1.3], [1, 2, 0]),
        (["007", "12"], [7, 12, 8], [1, 2, 0]),
        (["a", "b"], [" a", "b ", "c"], [1, 2, 0]),
        (["1.1", "1.10"], [1.1, 2.0, None], [0, 0, 0]),
        (["True", "False"], [True, False, None], [1, 2, 0]),
        (["2", "3"], ["2.0", "3.00", "x"], [1, 2, 0]),
        (["1E10", "2E10"], ["10E9", "2E10", "x"], [0, 2, 0]),
    ],
)
def test_a_name_is_found_whatever_type_it_arrives_in(levels, cells, places):
    learnt = Category(levels, [])
    encoded = learnt.encode(column(cells))
    assert encoded.values.tolist() == places
    odd = [row for row, cell in enumerate(cells) if cell is not None and not places[row]]
    assert [problem.row for problem in encoded.problems] == odd


def test_blanks_around_a_name_do_not_make_another_and_are_told():
    learnt = Category.learn(column(["no", "no", "no ", "yes", "yes"]))
    assert learnt.levels == ["no", "yes"] and learnt.trimmed == 1
    assert "1 cell differs" in learnt.findings("c")[0].reason
    assert not Category.learn(column([" no", " no", "yes", "yes"])).findings("c")


def test_accents_composed_in_two_ways_are_one_level():
    learnt = Category.learn(column(["grün", "grün", "gru\u0308n", "rot", "rot"]))
    assert learnt.levels == ["grün", "rot"] and learnt.trimmed == 1
    assert learnt.encode(column(["gru\u0308n", "\ufeffrot"])).values.tolist() == [1, 2]
