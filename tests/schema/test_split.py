"""Splits: named by a column, or made; stratified, by group, by time; the same again for the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorium.config import SplitConfig
from sensorium.errors import SchemaError
from sensorium.schema import make_split
from sensorium.table import open_table


def split(table, seed=0, column=None, **config):
    opened = open_table(table)
    return make_split(opened, opened.column("y"), SplitConfig(**config), column, seed)


def test_a_column_names_the_splits_in_any_usual_spelling():
    names = ["train", "Training", "dev", "VAL", "validation", "test", "holdout", None]
    found = split({"y": list("abababab"), "s": names}, column="s")
    assert found.codes.tolist() == [0, 0, 1, 1, 1, 2, 2, -1]
    assert "'s'" in found.how


def test_unknown_spellings_are_told():
    with pytest.raises(SchemaError, match="'tarin'"):
        split({"y": list("abab"), "s": ["tarin", "test", "train", "val"]}, column="s")


def test_validation_rows_are_taken_from_training_rows_if_none_are_named():
    found = split({"y": list("ab") * 20, "s": ["train"] * 30 + ["test"] * 10}, column="s")
    assert found.sizes() == {"train": 27, "validation": 3, "test": 10}
    assert "taken from the training rows" in found.how


def test_rows_without_a_label_are_in_no_split():
    found = split({"y": ["a", "b", None] * 20})
    assert (found.codes[2::3] == -1).all()
    assert (found.codes[0::3] >= 0).all()


@settings(deadline=None, max_examples=40)
@given(
    counts=st.lists(st.integers(1, 60), min_size=2, max_size=6).filter(lambda c: sum(c) >= 10),
    share=st.sampled_from([0.1, 0.2, 0.3]),
    seed=st.integers(0, 5),
)
def test_stratified_splits_keep_proportions(counts, share, seed):
    labels = np.repeat([f"class_{k}" for k in range(len(counts))], counts)
    found = split({"y": labels.tolist()}, seed, validation=share, test=share)
    assert (found.codes >= 0).all(), "no row is lost"
    if len(counts) > max(2, 0.2 * len(labels)):
        return  # so many classes for so few rows that they are not stratified
    for k, count in enumerate(counts):
        codes = found.codes[labels == f"class_{k}"]
        assert (codes == 0).any(), "every class trains"
        if count >= 10:
            for code in (1, 2):
                assert abs((codes == code).sum() - share * count) <= 2


def test_groups_stay_together():
    random = np.random.default_rng(0)
    groups = random.integers(0, 40, 400)
    found = split(
        {"y": random.choice(list("ab"), 400).tolist(), "g": groups.tolist()}, group="g", test=0.2, validation=0.2
    )
    for group in range(40):
        assert len(set(found.codes[groups == group])) == 1
    assert all(size > 40 for size in found.sizes().values())


def test_the_future_tests():
    days = [f"2026-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(100)]
    order = np.random.default_rng(0).permutation(100)
    found = split({"y": list("ab") * 50, "t": [days[i] for i in order]}, time="t", test=0.2, validation=0.1)
    times = [np.sort(order[found.codes == code]) for code in (0, 1, 2)]
    assert times[0].max() < times[1].min() <= times[1].max() < times[2].min()


def test_rows_of_one_moment_are_not_parted():
    found = split({"y": list("ab") * 50, "t": [i // 10 for i in range(100)]}, time="t", test=0.25, validation=0.2)
    for moment in range(10):
        assert len(set(found.codes[moment * 10 : moment * 10 + 10])) == 1


def test_time_must_be_orderable():
    with pytest.raises(SchemaError, match="can't be ordered"):
        split({"y": list("abab"), "t": ["soon", "later", "now", "then"]}, time="t")


def test_same_seed_same_split_other_seed_another():
    table = {"y": list("abc") * 40}
    assert (split(table, 1).codes == split(table, 1).codes).all()
    assert (split(table, 1).codes != split(table, 2).codes).any()


def test_too_few_rows_are_told():
    with pytest.raises(SchemaError, match="only 3 of 5 rows have a label"):
        split({"y": ["a", "b", "a", None, None]})
    with pytest.raises(SchemaError, match="no row with a label is left to train on"):
        split({"y": ["a", "b", "a", "b"], "s": ["test"] * 4}, column="s")
