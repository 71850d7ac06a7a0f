"""Cells find the name that training learnt: by value where they are numbers, as text where they are text."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensorium.labels import SEVERAL, UNSEEN, Names
from sensorium.table import open_table

pytestmark = pytest.mark.unit

NONE = "not there"


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}, text=["c"]).column("c")


def found(names, cell, **options):
    place = int(Names(names, **options).find(column([cell]))[0])
    return NONE if place == UNSEEN else "several" if place == SEVERAL else names[place]


@pytest.mark.parametrize(
    ("names", "cell", "name"),
    [
        ([0, 1], True, 1),
        ([0, 1], False, 0),
        ([0, 1], "1", 1),
        ([0, 1], "1.0", 1),
        ([0, 1], " 1 ", 1),
        ([0, 1], 1.0, 1),
        ([0, 1], "True", 1),
        ([0, 1], "true", 1),
        ([0, 1], "FALSE", 0),
        ([0, 1], "yes", 1),
        ([0, 1], 2, NONE),
        ([0, 1], "2", NONE),
        ([0, 1], "maybe", NONE),
        ([0, 1], 0.5, NONE),
        ([0, 1, 2], True, 1),
        ([0, 1, 2], "True", 1),
        ([0, 1, 2], "yes", NONE),
        ([False, True], 1, True),
        ([False, True], "0", False),
        ([False, True], "True", True),
        (["False", "True"], True, "True"),
        (["false", "true"], 0, "false"),
        (["no", "yes"], True, "yes"),
        (["no", "yes"], 0, "no"),
        (["no", "yes"], "TRUE", "yes"),
        (["no", "yes"], "Yes", "yes"),
        (["no", "yes", "maybe"], True, NONE),
        (["f", "m"], False, NONE),
        ([0.0, 1.0], 1, 1.0),
        ([0.5, 1.5], "1.50", 1.5),
        ([0.5, 1.5], "0.5", 0.5),
        (["1.10", "1.20"], 1.1, "1.10"),
        (["1.10", "1.20"], "1.1", "1.10"),
        (["1.10", "1.20"], "1.100", NONE),
        (["1.1", "1.10"], "1.10", "1.10"),
        (["1.1", "1.10"], "1.1", "1.1"),
        (["1.1", "1.10"], 1.1, "several"),
        (["1.1", "1.10"], "1.100", "several"),
        (["1E10", "2E10"], "10E9", NONE),
        (["1E10", "2E10"], 1e10, "1E10"),
        (["1E10", "2E10"], 10**10, "1E10"),
        (["1E10", "2E10"], "10000000000", "1E10"),
        (["1E10", "10E9"], 1e10, "several"),
        (["007", "12"], 7, "007"),
        (["007", "12"], "7", "007"),
        (["007", "12"], "07", NONE),
        (["007", "7"], "7", "7"),
        (["007", "7"], 7, "several"),
        (["2", "3"], "2.0", "2"),
        (["2.0", "3.5"], 2, "2.0"),
        ([2**60, 2**60 + 1], 2**60 + 1, 2**60 + 1),
        ([str(2**60), str(2**60 + 1)], str(2**60 + 1), str(2**60 + 1)),
        (["12345678901234567890", "12345678901234567891"], "12345678901234567891", "12345678901234567891"),
        ([" <=50K", " >50K"], "<=50K", " <=50K"),
        (["a", "b"], " a", "a"),
        (["no", "NO"], "No", NONE),
        (["", "a"], "  ", ""),
    ],
)
def test_a_cell_finds_its_name(names, cell, name):
    assert found(names, cell) == name


@pytest.mark.parametrize(("cell", "name"), [("No", "no"), ("YES ", "yes"), ("no", "no"), ("maybe", NONE)])
def test_case_is_folded_where_that_is_asked_for(cell, name):
    assert found(["no", "yes"], cell, fold_case=True) == name


def test_missing_cells_have_no_name_and_other_kinds_are_spelt():
    assert Names(["a"]).find(column(["a", None, "b"])).tolist() == [0, UNSEEN, UNSEEN]
    assert Names(["[1, 2]"]).find(column([[1, 2], [3]])).tolist() == [0, UNSEEN]
    days = pa.array(["2024-01-31"]).cast(pa.date32())
    assert Names(["2024-01-31"]).find(open_table(pa.table({"c": days})).column("c")).tolist() == [0]


@given(
    cells=st.lists(st.sampled_from(["1", "1.0", "1.10", "007", "7", "true", "no", "1E5", "100000", " a", "a", "-"])),
    names=st.lists(st.sampled_from(["1", "1.1", "007", "true", "1E5", "a", "-0", "b"]), min_size=1, unique=True),
)
def test_a_cell_alone_finds_what_it_finds_among_others(cells, names):
    whole = Names(names).find(column([*cells, "b"]))[:-1]
    alone = [int(Names(names).find(column([cell]))[0]) for cell in cells]
    np.testing.assert_array_equal(whole, alone)
