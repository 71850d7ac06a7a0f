"""Splits: named by a column, or made; stratified, by group, by time; the same again for the same seed."""

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorium.config import SplitConfig
from sensorium.errors import SchemaError
from sensorium.split import make_split
from sensorium.table import open_table

pytestmark = pytest.mark.unit


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
    with pytest.raises(SchemaError, match="cannot order rows"):
        split({"y": list("abab"), "t": ["soon", "later", "now", "then"]}, time="t")


def test_same_seed_same_split_other_seed_another():
    table = {"y": list("abc") * 40}
    assert (split(table, 1).codes == split(table, 1).codes).all()
    assert (split(table, 1).codes != split(table, 2).codes).any()


def test_too_few_rows_are_told():
    with pytest.raises(SchemaError, match="too few rows with a label: 3 of 5; at least 4 are needed"):
        split({"y": ["a", "b", "a", None, None]})
    with pytest.raises(SchemaError, match="no row with a label is in the training split"):
        split({"y": ["a", "b", "a", "b"], "s": ["test"] * 4}, column="s")


ROWS = 60
# What earlier versions made of the table below: their models are evaluated on the same rows.
FROZEN = [
    ("y", {}, "002002200001100000000000000001000000000200002000000000011210"),
    ("y", {"seed": 3}, "001000000010100010000000010002000010020000022000000000020020"),
    ("y", {"stratify": False}, "000000000000020100000200000000010020010002020020000010100001"),
    ("amount", {}, "000000000000020100000200000000010020010002020020000010100001"),
    ("count", {"test": 0.2}, "000000000000001021001002001000002202201000000001222000202200"),
    ("tags", {}, "000000010011202002000001000000200000000000000100000022100000"),
    ("some", {}, "001.000.000.101.000.000.000.200.220.000.000.200.000.010.010."),
    ("y", {"validation": 0.0}, "002002200000000000000000000000000000000200002000000000000200"),
    ("y", {"test": 0.0}, "010000000001000100000000010000000000000000000010000010000000"),
    ("y", {"group": "g"}, "012000000000012000000000012000000000012000000000012000000000"),
    ("y", {"group": "g", "seed": 5, "test": 0.25}, "000001022002000001022002000001022002000001022002000001022002"),
    ("amount", {"group": "g"}, "200000000001200000000001200000000001200000000001200000000001"),
    ("y", {"group": "gap", "test": 0.2}, "000200020120002002000200200020020002202000200000020020002002"),
    ("y", {"time": "t"}, "000100020010002001000200100020000002000000200000010000001000"),
    (
        "y",
        {"time": "tie", "test": 0.25, "validation": 0.2},
        "000000000000000000000000000000111111111111222222222222222222",
    ),
    ("y", {"time": "day"}, "000100020010002001000200100020000002000000200000010000001000"),
    ("amount", {"time": "moment", "test": 0.2}, "000200120020002002000200200020010002001000200100020010002001"),
    ("some", {"time": "day"}, "000.000.001.002.010.020.000.200.000.000.002.000.010.000.100."),
    ("y", {"time": "t", "span": ("t", "end")}, "000.00.200100020010002001000200100020010002001000.00.000.00."),
    ("y", {"time": "t", "test": 0.0}, "000000010000001000000100000010000001000000100000000000000000"),
    ("y", {"column": "part"}, "000000010000000000000000010000001010000022222222222222222222"),
    ("amount", {"column": "part", "validation": 0.2}, "000010010100000000001000000000000110101022222222222222222222"),
]


def frozen_table():
    k = np.arange(ROWS)
    return {
        "y": [["a", "b", "b", "c"][i] for i in (k * 7) % 4],
        "amount": ((k * 37) % 91 / 7).tolist(),
        "count": ((k * 11) % 5).tolist(),
        "tags": [["x"] if i % 3 else ["x", "z"] for i in k],
        "some": [None if i % 4 == 3 else "pq"[i % 2] for i in k],
        "g": (k * 13 % 12).tolist(),
        "gap": [None if i % 9 == 0 else f"g{i * 5 % 7}" for i in k],
        "t": (k * 17 % 60).tolist(),
        "end": (k * 17 % 60 + 3).tolist(),
        "tie": (k // 6).tolist(),
        "day": [f"2026-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in (k * 17 % 60)],
        "moment": [datetime.datetime(2026, 1, 1) + datetime.timedelta(hours=int(i * 17 % 60)) for i in k],
        "part": ["train"] * 40 + ["test"] * 20,
    }


@pytest.mark.parametrize(("target", "given", "codes"), FROZEN)
def test_splits_are_those_of_earlier_versions(target, given, codes):
    opened, settings = open_table(frozen_table()), dict(given)
    column, seed = settings.pop("column", None), settings.pop("seed", 0)
    found = make_split(opened, opened.column(target), SplitConfig(**settings), column, seed)
    assert "".join("." if code < 0 else str(code) for code in found.codes) == codes


def parted(found, groups):
    """Groups that stand in more than one split."""
    groups = np.array(groups)
    return [group for group in set(groups.tolist()) if len(set(found.codes[groups == group]) - {-1}) > 1]


def told(found):
    assert all(problem.row is None for problem in found.findings)
    return " | ".join(f"{problem.reason} ({problem.cure})" for problem in found.findings)


N = 400
BOTH = ["a", "b"] * (N // 2)
PATIENT = [k % 10 for k in range(N)]
PART = ["train" if k % 10 < 8 else "test" for k in range(N)]
DAYS = list(range(N))


@pytest.mark.parametrize("seed", range(4))
def test_validation_rows_of_a_split_column_follow_the_group(seed):
    found = split({"y": BOTH, "g": PATIENT, "s": PART}, seed, "s", group="g")
    assert parted(found, PATIENT) == []
    assert found.sizes() == {"train": 280, "validation": 40, "test": 80}
    assert found.findings == ()
    assert "by group ('g')" in found.how


def test_validation_rows_of_a_split_column_are_the_latest():
    parts = ["train"] * 320 + ["test"] * 80
    found = split({"y": BOTH, "t": DAYS, "s": parts}, column="s", time="t")
    assert found.rows("validation").tolist() == list(range(288, 320))
    assert found.findings == ()
    late = split({"y": BOTH, "t": DAYS, "s": PART}, column="s", time="t")
    assert max(np.array(DAYS)[late.codes == 0]) < min(np.array(DAYS)[late.codes == 1])
    assert "of 288 training rows" not in told(late)
    assert "training rows" in told(late)


def test_validation_rows_of_a_split_column_follow_time_and_group():
    visits = [k // 10 for k in range(N)]
    table = {"y": BOTH, "g": visits, "t": DAYS, "s": ["train"] * 320 + ["test"] * 80}
    found = split(table, column="s", time="t", group="g")
    assert parted(found, visits) == []
    assert found.rows("validation").tolist() == list(range(290, 320))
    assert found.findings == ()


def test_groups_that_a_split_column_parts_are_told():
    found = split({"y": BOTH, "g": [f"p{k % 40}" for k in range(N)], "s": PART[::-1]}, column="s", group="g")
    assert found.findings == ()
    torn = ["train" if k % 13 < 8 else "test" for k in range(N)]
    found = split({"y": BOTH, "g": [f"p{k % 40}" for k in range(N)], "s": torn}, column="s", group="g")
    assert "column 's' puts 40 of 40 groups into several splits (data leakage), such as 'p0', 'p1'" in told(found)
    one = split({"y": BOTH, "g": ["p"] * N, "s": ["train"] * 320 + ["test"] * 80}, column="s", group="g")
    assert "puts 1 of 1 group into several splits" in told(one)
    assert one.sizes()["validation"] == 0
    assert "0 validation" in told(one)


def test_time_and_group_keep_whole_groups_and_say_what_time_could_not_be_kept():
    found = split({"y": BOTH, "g": PATIENT, "t": DAYS}, time="t", group="g")
    assert parted(found, PATIENT) == []
    assert found.sizes() == {"train": 320, "validation": 40, "test": 40}
    assert "not earlier than the first validation or test row" in told(found)
    apart = [k // 10 for k in range(N)]
    found = split({"y": BOTH, "g": apart, "t": DAYS}, time="t", group="g")
    assert (parted(found, apart), found.findings) == ([], ())
    assert found.rows("test").tolist() == list(range(360, 400))


def test_time_group_and_span_leave_out_what_would_overlap():
    found = split({"y": BOTH, "g": PATIENT, "t": DAYS}, time="t", group="g", span=("t", "t"))
    assert parted(found, PATIENT) == []
    times = [np.flatnonzero(found.codes == code) for code in range(3)]
    assert times[0].max() < times[1].min() <= times[1].max() < times[2].min()
    assert f"{(found.codes == -1).sum()} of 400 rows are not used" in told(found)


@pytest.mark.parametrize(
    "table",
    [
        {"g": ["A"] * N},
        {"g": ["A"] * 380 + [f"g{k}" for k in range(20)]},
        {"g": [k % 2 for k in range(N)]},
        {"g": [k % 3 for k in range(N)]},
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_splits_far_from_their_shares_are_told(table, seed):
    found = split({"y": BOTH, **table}, seed, group="g")
    sizes = found.sizes()
    assert f"{sizes['train']} training, {sizes['validation']} validation, {sizes['test']} test" in told(found)
    assert "80%, 10%, 10%" in told(found)


@pytest.mark.parametrize("config", [{"group": "g"}, {"time": "t"}, {}, {"time": "t", "group": "g"}])
@pytest.mark.parametrize("rows", [4, 5, 7, 10, 33, 400])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_told_of_ordinary_splits(config, rows, seed):
    table = {"y": BOTH[:rows], "g": list(range(rows)), "t": DAYS[:rows]}
    found = split(table, seed, **config)
    assert found.findings == ()
    assert min(found.sizes().values()) > 0


@pytest.mark.parametrize("count", [5, 8, 12])
def test_nothing_is_told_of_groups_of_equal_size(count):
    assert split({"y": BOTH, "g": [k % count for k in range(N)]}, group="g").findings == ()


def test_shares_of_nothing_are_kept():
    for config in ({}, {"group": "g"}, {"time": "t"}, {"time": "t", "group": "g"}):
        table = {"y": BOTH, "g": [k // 10 for k in range(N)], "t": DAYS}
        for validation, test in ((0.0, 0.0), (0.1, 0.0), (0.0, 0.1)):
            found = split(table, validation=validation, test=test, **config)
            assert (found.sizes()["validation"], found.sizes()["test"]) == (N * validation, N * test)
            assert found.findings == ()
    assert split({"y": BOTH, "s": PART}, column="s", validation=0.0).sizes()["validation"] == 0


def test_labels_that_gaps_made_floats_are_stratified_as_whole_numbers_are():
    labels = np.zeros(1000)
    labels[:12] = 1
    np.random.default_rng(0).shuffle(labels)
    labels[::20] = np.nan
    whole = [None if np.isnan(label) else int(label) for label in labels]
    for seed in range(5):
        found, other = split({"y": labels}, seed), split({"y": whole}, seed)
        assert (found.codes == other.codes).all()
        assert found.how == other.how == f"made: stratified by the label, seed {seed}"
        assert all((labels[found.codes == code] == 1).any() for code in range(3))


def test_amounts_are_not_stratified():
    amounts = np.random.default_rng(0).integers(0, 60, 400).astype(float)
    assert "at random" in split({"y": amounts}).how
    assert "at random" in split({"y": (amounts / 7)}).how
    assert "stratified" in split({"y": np.where(amounts > 30, 0.5, 1.5)}).how


def test_missing_groups_and_blanks_around_names_are_told():
    found = split({"y": BOTH, "g": [None if k % 10 == 0 else f"p{k % 40}" for k in range(N)]}, group="g")
    assert "empty in 40 rows with a label" in told(found)
    for other in ("p{} ", "P{}", "p{}\u200b"):
        names = [(other if k % 3 == 0 else "p{}").format(k % 40) for k in range(N)]
        found = split({"y": BOTH, "g": names}, group="g")
        assert parted(found, [f"p{k % 40}" for k in range(N)]) == []
        assert "40 group names differ from another only by case or blanks" in told(found)


def test_rows_for_which_the_column_names_no_split_are_told():
    found = split({"y": BOTH, "s": ["Train ", " TEST", " ", None] * 100}, column="s")
    assert found.sizes() == {"train": 90, "validation": 10, "test": 100}
    assert "empty in 200 of 400 rows with a label" in told(found)


@pytest.mark.parametrize("cells", [[0, 1, 2, 0], [True, False, True, False], [0.5, 1.0, 0.5, 1.0]])
def test_numbers_and_truths_name_no_split(cells):
    with pytest.raises(SchemaError, match="the split column 's' has the type") as error:
        split({"y": list("abab"), "s": cells}, column="s")
    assert "write words" in error.value.cure


@pytest.mark.parametrize(
    "form", ["%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%Y/%m/%d", "%a, %d %b %Y 12:00:00 GMT", "%d/%m/%y"]
)
def test_text_in_any_spelling_of_dates_orders_rows(form):
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=k * 167 % N) for k in range(N)]
    found = split({"y": BOTH, "t": [day.strftime(form) for day in days]}, time="t")
    assert (found.codes == split({"y": BOTH, "t": days}, time="t").codes).all()
    assert ("two-digit" in told(found)) == ("%y" in form)


def test_zones_order_rows_as_time_does():
    zones = ["+12:00" if k % 2 else "-11:00" for k in range(N)]
    times = [f"2026-01-{1 + k // 24:02d}T{k % 24:02d}:00:00" for k in range(N)]
    found = split({"y": BOTH, "t": [time + zone for time, zone in zip(times, zones, strict=True)]}, time="t")
    moments = [datetime.datetime.fromisoformat(time + zone) for time, zone in zip(times, zones, strict=True)]
    assert (found.codes == split({"y": BOTH, "t": moments}, time="t").codes).all()
    assert "ordered as dates" in found.how


def test_dates_that_can_be_read_both_ways_order_no_rows_until_said_how():
    days = [f"{1 + k % 12:02d}/{1 + k // 40:02d}/2024" for k in range(N)]
    with pytest.raises(SchemaError, match="fit both day first and month first") as error:
        split({"y": BOTH, "t": days}, time="t")
    assert "split.day_first=true" in error.value.cure
    months = np.array([k // 40 for k in range(N)])
    found = split({"y": BOTH, "t": days}, time="t", day_first=True)
    assert months[found.codes == 0].max() <= months[found.codes == 2].min()


@pytest.mark.parametrize(
    ("cells", "match"),
    [
        (["soon", *["2026-01-31"] * 7], "a cell such as 'soon' is not a valid date"),
        ([None, *range(7)], "empty in 1 of 8 rows"),
        ([True, False] * 4, "has the type bool"),
        ([1] * 8, "all rows have the same time"),
    ],
)
def test_what_orders_no_rows_is_told(cells, match):
    with pytest.raises(SchemaError, match=match):
        split({"y": list("abab") * 2, "t": cells}, time="t")


def test_few_different_times_still_leave_rows_to_train_on():
    two = split({"y": BOTH, "t": [k // 200 for k in range(N)]}, time="t")
    assert two.sizes() == {"train": 200, "validation": 0, "test": 200}
    assert "0 validation" in told(two)
    late = split({"y": BOTH, "t": [1] * 380 + [2] * 20}, time="t")
    assert late.sizes() == {"train": 380, "validation": 0, "test": 20}


@pytest.mark.parametrize(("size", "far"), [(81, False), (82, True)])
def test_a_split_is_far_from_its_share_beyond_twice_of_it(size, far):
    """40 test rows are asked for; all rows of the last moment test."""
    times = [*range(N - size), *[N] * size]
    found = split({"y": BOTH, "t": times}, time="t", validation=0.0)
    assert found.sizes()["test"] == size
    assert ("far from the requested fractions" in told(found)) == far


@pytest.mark.parametrize(("size", "far"), [(19, False), (18, True)])
def test_a_split_is_far_from_its_share_below_half_of_it(size, far):
    groups = ["early"] * (N - size) + ["late"] * size
    found = split({"y": BOTH, "t": DAYS, "g": groups}, time="t", group="g", validation=0.0)
    assert found.sizes()["test"] == size
    assert ("far from the requested fractions" in told(found)) == far


def test_a_training_row_of_the_moment_of_the_first_test_row_is_told():
    parts = ["train"] * 320 + ["test"] * 80
    assert told(split({"y": BOTH, "t": DAYS, "s": parts}, column="s", time="t", validation=0.0)) == ""
    times = [320, *DAYS[1:]]
    found = split({"y": BOTH, "t": times, "s": parts}, column="s", time="t", validation=0.0)
    assert "1 of 320 training rows is not earlier than" in told(found)


@pytest.mark.parametrize(("classes", "how"), [(20, "stratified"), (21, "at random")])
def test_many_classes_for_few_rows_are_not_stratified(classes, how):
    assert how in split({"y": [f"c{row % classes}" for row in range(100)]}).how


@pytest.mark.parametrize(("values", "how"), [(20, "stratified"), (21, "at random")])
def test_many_different_numbers_are_amounts_and_not_stratified(values, how):
    assert how in split({"y": [float(row % values) for row in range(N)]}).how


def test_a_row_of_unknown_end_may_reach_into_any_later_split():
    ends = [None if row == 7 else row for row in range(N)]
    found = split({"y": BOTH, "t": DAYS, "end": ends}, time="t", span=("t", "end"))
    assert np.flatnonzero(found.codes == -1).tolist() == [7]
