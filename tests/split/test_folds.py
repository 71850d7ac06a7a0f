"""Folds: every row is judged once, groups stay whole, the past is never judged by the future."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorium.config import SplitConfig
from sensorium.errors import ConfigError, SchemaError
from sensorium.split import Fold, FoldOptions, development_rows, make_folds, split_fold
from sensorium.table import open_table

pytestmark = pytest.mark.unit

SIZES = st.integers(20, 120)


def folds(table, count=5, repeats=1, seed=0, rows=None, continuous=False, **config):
    opened = open_table(table)
    target = opened.column("y")
    rows = np.flatnonzero(target.present) if rows is None else rows
    options = FoldOptions(count, repeats)
    return make_folds(opened, target, rows, SplitConfig(**config), options=options, seed=seed, continuous=continuous)


def judged(found):
    """Return the fold of each judged row of a single repeat: row → fold."""
    return {row: number for number, fold in enumerate(found) for row in fold.judge.tolist()}


@settings(max_examples=30)
@given(n=SIZES, count=st.integers(2, 7), classes=st.integers(2, 4), seed=st.integers(0, 3))
def test_each_row_is_judged_once_per_repeat_and_classes_are_spread_evenly(n, count, classes, seed):
    labels = np.random.default_rng(seed).integers(0, classes, n)
    labels[: 2 * classes] = np.arange(2 * classes) % classes  # at least two rows each
    found = folds({"y": [f"k{k}" for k in labels]}, count, repeats=2, seed=seed)
    assert (len(found), found.count, found.repeats) == (2 * count, count, 2)
    for repeat in (found.folds[:count], found.folds[count:]):
        assert np.array_equal(np.sort(np.concatenate([fold.judge for fold in repeat])), np.arange(n))
        assert all(np.array_equal(np.sort(np.r_[fold.learn, fold.judge]), np.arange(n)) for fold in repeat)
        sizes = np.array([np.bincount(labels[fold.judge], minlength=classes) for fold in repeat])
        assert (np.ptp(sizes, axis=0) <= 1).all() and np.ptp(sizes.sum(1)) <= 1
        assert all(set(labels[fold.learn]) == set(labels) for fold in repeat)
    assert not np.array_equal(found.folds[0].judge, found.folds[count].judge), "another repeat, other folds"


@settings(max_examples=20)
@given(n=st.integers(40, 150), count=st.integers(2, 6), seed=st.integers(0, 3))
def test_an_amount_is_spread_evenly_by_its_quantiles(n, count, seed):
    numbers = np.random.default_rng(seed).lognormal(size=n)
    found = folds({"y": numbers.tolist()}, count, seed=seed)
    assert "by amount" in found.how
    parts = min(10, n // count)
    strata = numbers.argsort().argsort() * parts // n
    sizes = np.array([np.bincount(strata[fold.judge], minlength=parts) for fold in found])
    assert (np.ptp(sizes, axis=0) <= 1).all()


@pytest.mark.parametrize("config", [{}, {"group": "g"}, {"stratify": False}])
def test_whole_amounts_are_judged_even_if_no_other_row_has_the_same(config):
    counts = np.r_[np.repeat(np.arange(8), 20), 1000 + np.arange(10)]
    table = {"y": counts.tolist(), "g": np.arange(len(counts)).tolist()}
    found = folds(table, continuous=True, **config)
    assert sorted(judged(found)) == list(range(len(counts))) and not found.findings
    assert ("by amount" in found.how) == config.get("stratify", True)
    assert len(judged(folds(table))) < len(counts), "as classes, ten of them have one row"


@settings(max_examples=30)
@given(n=st.integers(40, 150), groups=st.integers(6, 30), count=st.integers(2, 6), seed=st.integers(0, 3))
def test_no_group_is_on_both_sides(n, groups, count, seed):
    random = np.random.default_rng(seed)
    group, labels = random.integers(0, groups, n), random.integers(0, 2, n)
    table = {"y": [f"k{k}" for k in labels], "g": group.tolist()}
    found = folds(table, count, repeats=2, seed=seed, group="g")
    for repeat in (found.folds[: found.count], found.folds[found.count :]):
        assert np.array_equal(np.sort(np.concatenate([fold.judge for fold in repeat])), np.arange(n))
        for fold in repeat:
            assert len(fold.judge) and not set(group[fold.learn]) & set(group[fold.judge])


def test_groups_are_balanced_by_size_and_label():
    random = np.random.default_rng(1)
    group = random.integers(0, 100, 1000)
    label = (random.random(100) < 0.3)[group]  # one label per group
    found = folds({"y": np.where(label, "yes", "no").tolist(), "g": group.tolist()}, group="g")
    assert np.ptp([len(fold.judge) for fold in found]) <= 20
    assert np.ptp([label[fold.judge].mean() for fold in found]) <= 0.05


@settings(max_examples=30)
@given(n=SIZES, moments=st.integers(4, 200), count=st.integers(2, 6), seed=st.integers(0, 3))
def test_the_past_is_learned_and_the_future_judged(n, moments, count, seed):
    time = np.random.default_rng(seed).integers(0, moments, n)
    time[:4] = range(4)
    found = folds({"y": ["a", "b"] * (n // 2) + ["a"] * (n % 2), "t": time.tolist()}, count, time="t")
    assert 2 <= len(found) <= count
    before = None
    for fold in found:
        assert time[fold.learn].max() < time[fold.judge].min()
        assert len(fold.learn) == (time < time[fold.judge].min()).sum(), "all earlier rows are learned"
        assert before is None or np.array_equal(np.sort(np.r_[before.learn, before.judge]), fold.learn), "it rolls"
        before = fold
    assert set(found.folds[-1].judge) >= set(np.flatnonzero(time == time.max()))


def test_with_a_span_no_learned_period_reaches_into_the_judged_one():
    start = np.arange(60)
    table = {"y": list("ab") * 30, "start": start.tolist(), "end": (start + 3).tolist()}
    plain = folds(table, time="start")
    found = folds(table, time="start", span=("start", "end"))
    assert len(found) == 5 and "without overlapping periods" in found.how
    for fold, other in zip(found, plain, strict=True):
        assert (start[fold.learn] + 3).max() < start[fold.judge].min()
        assert np.array_equal(fold.judge, other.judge)
        assert len(other.learn) - len(fold.learn) == 3, "the embargo leaves out no more than it must"


@pytest.mark.parametrize("span", [None, ("t", "end")])
def test_by_time_and_group_later_groups_are_judged(span):
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(30), 4)
    time = group * 10 + random.integers(0, 25, 120)
    table = {"y": list("ab") * 60, "g": group.tolist(), "t": time.tolist(), "end": (time + 2).tolist()}
    found = folds(table, time="t", group="g", span=span)
    latest = np.array([time[group == g].max() for g in group])
    assert len(found) >= 3
    for fold in found:
        assert not set(group[fold.learn]) & set(group[fold.judge])
        assert latest[fold.learn].max() <= latest[fold.judge].min()
        if span:
            assert (time[fold.learn] + 2).max() < time[fold.judge].min()


def test_the_same_seed_gives_the_same_folds():
    table = {"y": list("abc") * 20, "g": (np.arange(60) // 2).tolist()}
    for config in ({}, {"group": "g"}):
        one, same, other = (folds(table, seed=seed, **config) for seed in (1, 1, 2))
        assert judged(one) == judged(same) != judged(other)


def test_a_class_with_one_row_is_always_learned_and_this_is_told():
    found = folds({"y": ["a"] * 20 + ["b"] * 20 + ["lone"] + ["rare"] * 2})
    assert all(40 in fold.learn for fold in found) and 40 not in judged(found)
    told = [problem.reason for problem in found.findings]
    assert told == [
        "1 label with a single row is learned in every fold and never tested",
        "1 label with fewer rows than there are folds is not tested in some of them",
    ]


@pytest.mark.parametrize(
    ("config", "told"),
    [({"group": "g"}, "3 folds instead of 5: there are only 3 groups"), ({"time": "g"}, "2 folds instead of 5")],
)
def test_fewer_groups_or_times_than_folds_make_fewer_folds(config, told):
    found = folds({"y": list("ab") * 15, "g": [1, 2, 3] * 10}, **config)
    assert found.count == int(told[0]) and found.findings[0].reason.startswith(told)
    assert f"--folds {told[0]}" in found.findings[0].cure


@pytest.mark.parametrize("config", [{"group": "g"}, {"time": "g"}])
def test_rows_that_make_no_two_folds_are_an_error(config):
    with pytest.raises(SchemaError, match="cannot be cut into 2 folds"):
        folds({"y": list("ab") * 5, "g": [1] * 10}, **config)


def test_folds_by_time_are_not_repeated():
    with pytest.raises(ConfigError, match="cannot be repeated"):
        folds({"y": list("ab") * 10, "t": [*range(20)]}, repeats=2, time="t")


def test_folds_are_cut_from_the_given_rows_and_become_positions_among_others():
    rows, used = np.arange(3, 40, 2), np.arange(1, 42, 2)
    found = folds({"y": list("ab") * 30}, 3, rows=rows)
    assert np.array_equal(np.sort(np.concatenate([fold.judge for fold in found])), rows)
    for fold, moved in zip(found, found.within(used), strict=True):
        assert np.array_equal(used[moved.learn], fold.learn) and np.array_equal(used[moved.judge], fold.judge)
    fewer = np.setdiff1d(used, [5, 11])
    for fold, moved in zip(found, found.within(fewer), strict=True):
        assert np.array_equal(fewer[moved.learn], np.setdiff1d(fold.learn, [5, 11]))
        assert np.array_equal(fewer[moved.judge], np.setdiff1d(fold.judge, [5, 11]))


def test_a_split_column_keeps_its_test_rows_out_of_the_folds():
    opened = open_table({"y": ["a", "b", None, "a"] * 3, "s": ["train", "dev", "train", "test"] * 2 + [None] * 4})
    rows, told = development_rows(opened, opened.column("y"), "s")
    assert rows.tolist() == [0, 1, 4, 5]
    assert [problem.reason for problem in told] == [
        "the split column is empty in 3 of 9 rows with a label, which are not used",
        "the column names splits: its 4 training and validation rows are cut into folds, and its 2 test rows are not "
        "used",
    ]
    assert development_rows(opened, opened.column("y"), None)[0].tolist() == [0, 1, 3, 4, 5, 7, 8, 9, 11]


def test_validation_rows_of_a_fold_come_from_the_rows_it_learns_from():
    opened = open_table({"y": ["a", "b"] * 30 + ["lone"], "g": (np.arange(61) // 3).tolist()})
    target, judge = opened.column("y"), np.arange(12)
    fold = Fold(np.arange(12, 61), judge)
    found = split_fold(opened, target, SplitConfig(validation=0.2), fold, seed=0, name="fold 1 of 5")
    assert found.rows("test").tolist() == judge.tolist()
    assert found.sizes() == {"train": 39, "validation": 10, "test": 12}
    assert found.codes[60] == 0, "a class with a single row is learned"
    assert found.how == "fold 1 of 5; validation rows taken from the training rows"
    grouped = split_fold(opened, target, SplitConfig(validation=0.2, group="g"), fold, seed=0, name="fold 1 of 5")
    sides = [{row // 3 for row in grouped.rows(split)} for split in ("train", "validation", "test")]
    assert sides[1] and not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
