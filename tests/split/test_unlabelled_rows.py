"""Which rows without a label belong to training: they follow the split, and know nothing of what is held out."""

import numpy as np
import pytest

from sensorium.config import SplitConfig
from sensorium.split import make_split, unlabelled_rows
from sensorium.table import open_table

pytestmark = pytest.mark.unit


def rows(table, column=None, **config):
    opened, settings = open_table(table), SplitConfig(**config)
    target = opened.column("y")
    split = make_split(opened, target, settings, column, 0)
    found = unlabelled_rows(opened, target, split, settings, column)
    assert (split.codes[found] == -1).all()
    return found.tolist(), split


def test_where_rows_are_split_by_chance_all_of_them_train():
    assert rows({"y": ["a", "b", None] * 20})[0] == list(range(2, 60, 3))


def test_a_column_of_splits_is_followed():
    parts = ["train", "train", "val", "val", "test", "test", None, None] * 3
    assert rows({"y": ["a", None] * 12, "s": parts}, column="s")[0] == [1, 9, 17]


def test_a_group_that_is_held_out_trains_with_none_of_its_rows():
    groups = [f"g{row // 4}" for row in range(80)] + ["new", None]
    table = {"y": (["a", "b", "a", None] * 20) + [None, None], "g": groups}
    found, split = rows(table, group="g")
    held = {groups[row] for row in np.flatnonzero(split.codes > 0)}
    assert held and found == [row for row in (*range(3, 80, 4), 80, 81) if groups[row] not in held]
    assert {80, 81} <= set(found)


def test_what_comes_after_the_first_held_out_row_does_not_train():
    times = [*range(80), 5, None]
    table = {"y": ["a", "b", "a", None] * 20 + [None, None], "t": times}
    found, split = rows(table, time="t")
    first = min(np.flatnonzero(split.codes > 0))
    assert found == [row for row in range(3, 80, 4) if row < first] + [80]


@pytest.mark.parametrize("reach", range(1, 7))
def test_nor_what_reaches_into_its_period(reach):
    table = {"y": ["a", "b", "a", None] * 20, "t": list(range(80)), "end": list(range(reach, 80 + reach))}
    found, split = rows(table, time="t", span=("t", "end"))
    first = min(np.flatnonzero(split.codes > 0))
    assert found == [row for row in range(3, 80, 4) if row + reach < first] != []


def test_nor_what_is_of_the_same_moment():
    labels = ["a", "b", "a", None] * 20
    first = min(np.flatnonzero(rows({"y": labels, "t": list(range(80))}, time="t")[1].codes > 0))
    found, _ = rows({"y": [*labels, None, None], "t": [*range(80), first, first - 1]}, time="t")
    assert 81 in found and 80 not in found


def test_a_split_column_and_a_group_are_both_followed():
    groups = [f"g{row // 4}" for row in range(80)]
    parts = ["train" if row < 60 or row % 4 == 3 else "test" for row in range(80)]
    found, split = rows({"y": ["a", "b", "a", None] * 20, "g": groups, "s": parts}, column="s", group="g")
    held = {groups[row] for row in np.flatnonzero(split.codes > 0)}
    assert found == [row for row in range(3, 80, 4) if groups[row] not in held] != []


def test_times_as_text_are_followed_as_dates():
    times = [f"{1 + row % 28:02d}.{1 + row // 28:02d}.2026" for row in range(80)]
    found, split = rows({"y": ["a", "b", "a", None] * 20, "t": times}, time="t")
    first = min(np.flatnonzero(split.codes > 0))
    assert found == [row for row in range(3, 80, 4) if row < first] != []
