"""Time series as lists and as files: unequal lengths, marked gaps, training statistics, damaged files."""

import datetime
import io
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from sensorium.modalities.series import Series
from sensorium.table import open_table

pytestmark = pytest.mark.unit


def column(cells, name="c", folder=None):
    return open_table({name: cells, "row": list(range(len(cells)))}, folder=folder).column(name)


def learn(cells, folder=None, **options):
    return Series.learn(column(cells, folder=folder), **options)


def plain(channels=1, steps=100, **fields):
    """A Series that learnt nothing: its cells are the values as they are."""
    given = {"scale": "column", "names": [], "mean": np.zeros(channels), "deviation": np.ones(channels), **fields}
    return Series(channels, steps, **given)


def test_a_list_is_a_channel_and_a_list_of_lists_is_steps_by_channels():
    one = plain().encode(column([[1, 2, 3], [4.5]]))
    assert one.values[0].tolist() == [[1, 1], [2, 1], [3, 1]]
    assert one.values[1].tolist() == [[4.5, 1]]
    two = plain(2).encode(column([[[1, 10], [2, 20]], [[3, 30]]]))
    assert two.values[0].tolist() == [[1, 10, 1, 1], [2, 20, 1, 1]]
    assert two.values.values.dtype == np.float32


@pytest.mark.parametrize("gap", [None, float("nan")])
def test_a_gap_is_marked_and_not_taken_for_a_zero(gap):
    found = plain().encode(column([[1.0, gap, 0.0]]))
    assert found.values[0].tolist() == [[1, 1], [0, 0], [0, 1]]
    assert not found.problems


def test_gaps_in_one_channel_or_of_a_whole_step():
    found = plain(2).encode(column([[[1.0, None], None, [3.0, 4.0]]]))
    assert found.values[0].tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [3, 4, 1, 1]]


def test_infinite_values_are_gaps_and_told_once_a_cell():
    found = plain().encode(column([[1.0], [float("inf"), 2.0, float("-inf")]]))
    assert found.values[1].tolist() == [[0, 0], [2, 1], [0, 0]]
    assert found.present.all()
    assert [(p.row, "infinite" in p.reason) for p in found.problems] == [(1, True)]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ([], "no steps"),
        ([None, float("nan")], "no number"),
        ([float("inf")], "no number"),
        ([[1.0, 2.0], [3.0]], "unequal width"),
        ([[1.0, 2.0]], "2 channels instead of 1"),
    ],
)
def test_a_list_that_is_no_series_is_missing_with_a_reason(cell, reason):
    found = plain().encode(column([cell, cell]))
    assert not found.present.any()
    assert len(found.problems) == 2 and reason in found.problems[0].reason
    assert len(found.values[0]) == 0


def test_a_number_is_no_series_and_the_cure_shows_one_row():
    series = learn([[1.0, 2.0], [3.0, 4.0]])
    found = series.encode(column([30.0, None, 29.5]))
    assert not found.present.any()
    assert [problem.row for problem in found.problems] == [0, 2]
    assert {problem.reason for problem in found.problems} == {"the cell is a number, not a series: read as missing"}
    assert found.problems[0].cure.endswith("{'c': [[30.0, 29.5]]}")


def test_standardised_channel_by_channel_by_the_training_rows_alone():
    random = np.random.default_rng(0)
    train = [random.normal([5, -300], [2, 40], (20, 2)).tolist() for _ in range(30)]
    learnt = learn(train)
    values = np.concatenate(train)
    assert learnt.mean == pytest.approx(values.mean(0)) and learnt.deviation == pytest.approx(values.std(0))
    found = learnt.encode(column([[[5e6, 0.0]]])).values[0]
    assert found[0, :2] == pytest.approx(np.minimum(([5e6, 0.0] - values.mean(0)) / values.std(0), 1e6), rel=1e-5)


def test_a_constant_channel_and_huge_numbers_stay_finite():
    learnt = learn([[[7.0, 1e308], [7.0, -1e308]], [[7.0, 1e308], [7.0, 1e308]]])
    found = learnt.encode(column([[[7.0, 1e308], [9.0, -1.7e308]]])).values[0]
    assert np.isfinite(found).all()
    assert found[:, 0].tolist() == [0, 2]


def test_the_last_steps_are_kept():
    learnt = learn([[0.0, 1.0, 2.0, 3.0]], steps=2)
    assert (learnt.mean, learnt.deviation) == (2.5, 0.5)
    assert learnt.encode(column([[9.0, 9.0, 2.0, 3.0]])).values[0].tolist() == [[-1, 1], [1, 1]]
    assert learn([[1.0] * 5, [2.0] * 3]).steps == 5
    assert learn([list(range(3000))]).steps == 2048


def test_each_series_by_itself_keeps_its_shape_only():
    learnt = learn([[1.0, 2.0, 3.0], [500.0, 600.0]], scale="cell")
    found = learnt.encode(column([[1.0, 2.0, 3.0], [1000.0, 2000.0, 3000.0]]))
    assert found.values[0] == pytest.approx(found.values[1])


def test_a_column_without_any_value_can_be_learnt():
    nothing = column([[1.0], [2.0]]).take(np.array([], np.int64))
    assert Series.learn(nothing).encode(column([[1.0]])).present.all()


# Files


def files(folder):
    """The same two channels in every kind of file."""
    values = np.array([[1.0, 10.0], [2.0, np.nan], [3.0, 30.0]])
    np.save(folder / "s.npy", values, allow_pickle=False)
    (folder / "s.csv").write_text("a,b\n1,10\n2,\n3,30\n")
    (folder / "bare.csv").write_text("1;10\n2;NA\n3;30\n")
    parquet.write_table(pa.table({"a": [1, 2, 3], "b": [10.0, None, 30.0]}), folder / "s.parquet")
    return ["s.npy", "s.csv", "bare.csv", "s.parquet"]


def test_every_kind_of_file_gives_the_same_steps(tmp_path):
    names = files(tmp_path)
    found = plain(2, names=["a", "b"]).encode(column(names, folder=tmp_path))
    assert found.present.all() and not found.problems
    for row in range(len(names)):
        assert found.values[row].tolist() == [[1, 10, 1, 1], [2, 0, 1, 0], [3, 30, 1, 1]]


def test_channels_of_a_file_go_by_name_and_a_date_is_none(tmp_path):
    (tmp_path / "1.csv").write_text("time,a,b\n2026-01-01,1,10\n2026-01-02,3,30\n")
    (tmp_path / "2.csv").write_text("b,a,more\n10,1,0\n30,3,0\n")
    (tmp_path / "3.csv").write_text("b\n10\n")
    learnt = learn(["1.csv"], tmp_path)
    assert learnt.names == ["a", "b"] and "a, b" in learnt.describe()
    found = learnt.encode(column(["1.csv", "2.csv", "3.csv"], folder=tmp_path))
    assert np.array_equal(found.values[0], found.values[1])
    assert "'a' is not in the file" in found.problems[0].reason
    chosen = learn(["1.csv", "2.csv"], tmp_path, channels=["b"])
    assert (chosen.channels, chosen.names, chosen.mean.tolist()) == (1, ["b"], [20.0])
    dated = learn(["1.csv"], tmp_path, channels=["time"]).encode(column(["1.csv"], folder=tmp_path))
    assert "'time' does not hold numbers" in dated.problems[0].reason


def npy(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (npy(np.array([1, "x", None], dtype=object), allow_pickle=True), "only pickle could read"),
        (np.array([1.0, 2.0]).dumps(), "damaged"),
        (npy(np.array([1 + 2j])), "complex128"),
        (npy(np.array(["1.5"])), "<U3"),
        (npy(np.zeros((2, 2, 2))), "3 dimensions"),
        (npy(np.zeros((0, 1))), "no steps"),
        (npy(np.arange(100.0))[:-9], "damaged"),
        (npy(np.arange(3.0))[:20], "damaged"),
        (b"PAR1 and no more", "damaged"),
        (b"a\n", "no steps"),
        (b"name\nx\ny\n", "no column of numbers"),
        (b"1,2\n3,x\n", "other values than numbers"),
        (b"a,b\n1\n", "damaged"),
        (b"\xff\xfe\x00", "damaged"),
        (b"", "empty (0 bytes)"),
    ],
)
def test_a_damaged_file_is_missing_with_a_reason_and_spares_the_others(content, reason, tmp_path):
    (tmp_path / "bad.npy").write_bytes(content)
    np.save(tmp_path / "good.npy", np.arange(3.0))
    found = plain().encode(column(["bad.npy", "good.npy", "gone.npy"], folder=tmp_path))
    assert found.present.tolist() == [False, True, False]
    told = {problem.row: problem.reason for problem in found.problems}
    assert reason in told[0] and "the file does not exist" in told[2]


def test_nothing_in_a_file_is_executed(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    (tmp_path / "trap.npy").write_bytes(npy(np.array([Trap()], dtype=object), allow_pickle=True))
    assert not plain().encode(column(["trap.npy", "trap.npy"], folder=tmp_path)).present.any()
    assert not (tmp_path / "sprung").exists()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(min_size=1, max_size=120), st.integers(0, 5000), st.sampled_from(["npy", "csv", "parquet"]))
def test_random_damage_never_crashes(tmp_path_factory, noise, place, kind):
    stream = io.BytesIO()
    parquet.write_table(pa.table({"a": [1.0, 2.0]}), stream)
    good = {"npy": npy(np.arange(5.0)), "csv": b"a\n1\n2\n", "parquet": stream.getvalue()}[kind]
    at = place % len(good)
    found = plain().encode(column([noise, good[:at] + noise, good[:at] + noise + good[at:], good]))
    assert found.present[3]
    assert set(np.flatnonzero(~found.present)) <= {problem.row for problem in found.problems}
    assert np.isfinite(found.values.values).all()


LISTS = st.lists(st.none() | st.floats() | st.integers(-(2**53), 2**53), max_size=6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.none() | LISTS, min_size=1, max_size=5))
def test_any_lists_give_finite_values_and_each_cell_stands_for_itself(cells):
    given_cells = open_table({"c": pa.array([[0.5], *cells], pa.list_(pa.float64()))}).column("c")
    learnt = Series.learn(given_cells)
    together = learnt.encode(given_cells)
    assert np.isfinite(together.values.values).all()
    for row in range(len(given_cells)):
        alone = learnt.encode(given_cells.take(np.array([row])))
        assert np.array_equal(alone.values[0], together.values[row])
        assert alone.present[0] == together.present[row]


# Which columns are series


def claim(cells, name="c", folder=None):
    guess = Series.looks_like(column(cells, name, folder))
    return guess and guess.confidence


def test_lists_that_look_like_series_are_claimed_and_no_others():
    random = np.random.default_rng(0)
    noise = random.normal(size=(50, 12))
    assert claim(noise.tolist()) is None, "a vector"
    assert claim(noise.tolist(), "close_20d") == claim(noise.tolist(), "returns") == 0.97
    assert claim(noise.cumsum(1).tolist()) == 0.97
    assert claim([row[: 3 + i % 9].tolist() for i, row in enumerate(noise)]) == 0.97
    assert claim([[[1.0, 2.0], [2.0, 1.0]]] * 3) == 0.97


@pytest.mark.parametrize("cells", [[["a", "b"], ["c"]], [1.5, 2.5], ["x", "y"], [[], []]])
def test_what_holds_no_numbers_is_not_claimed(cells):
    assert claim(cells) is None


def test_files_are_claimed_by_their_suffix(tmp_path):
    names = files(tmp_path)
    assert claim(names, folder=tmp_path) == 0.99
    assert claim([(tmp_path / "s.npy").read_bytes()] * 2) == 0.95


# Lists that text spells


def test_text_that_spells_a_list_is_read_as_the_list():
    cells = [[1.0, 2.5, None, 3.0], [7.0], None]
    spelt = ["[1.0, 2.5, null, 3]", " [7]", None]
    learnt = learn(spelt)
    expected = Series.learn(column(cells)).encode(column(cells))
    found = learnt.encode(column(spelt))
    assert np.array_equal(found.values.values, expected.values.values)
    assert np.array_equal(found.values.offsets, expected.values.offsets) and not found.problems
    pythons = learnt.encode(column(["[1.0, 2.5, None, 3]", "[nan, 7.0]"]))
    assert np.array_equal(pythons.values[0], expected.values[0]) and not pythons.problems
    nested = plain(2).encode(column(["[[1, 10], [2, null]]", "[null, [3, 30]]"]))
    assert nested.values[0].tolist() == [[1, 10, 1, 1], [2, 0, 1, 0]]
    assert nested.values[1].tolist() == [[0, 0, 0, 0], [3, 30, 1, 1]]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("[1, 2", "not a list"),
        ("[" * 100_000, "not a list"),
        ("[]", "no steps"),
        ('["1", "2"]', "not numbers"),
        ("[1, {}]", "other values than numbers"),
        ("[1, [2]]", "unequal width"),
        ("[NaN]", "no number"),
        ("gone.csv", "the file does not exist"),
    ],
)
def test_text_that_spells_no_series_is_missing_with_a_reason(cell, reason):
    found = plain().encode(column(["[1, 2]", cell]))
    assert found.present.tolist() == [True, False]
    (problem,) = found.problems
    assert problem.row == 1 and reason in problem.reason


def test_a_file_may_be_called_like_a_list(tmp_path):
    (tmp_path / "[1].csv").write_text("5\n6\n")
    found = plain().encode(column(["[1].csv", "[1]"], folder=tmp_path))
    assert [cell[:, 0].tolist() for cell in (found.values[0], found.values[1])] == [[5, 6], [1]]


def test_columns_of_spelt_lists_are_claimed_as_their_lists_are():
    random = np.random.default_rng(0)
    noise, walks = random.normal(size=(50, 12)).round(3), random.normal(size=(50, 12)).cumsum(1).round(3)
    spelt = [str(row.tolist()) for row in noise]
    named = Series.looks_like(column(spelt, "close_20d"))
    assert named.reason == "text with lists of numbers, 12 each; the column name suggests a series"
    walking = Series.looks_like(column([str(row.tolist()) for row in walks]))
    assert "neighbouring numbers of a list are correlated" in walking.reason
    assert walking.confidence == named.confidence and claim(spelt) is None
    assert claim(["[1]"] * 8 + ["word"] * 2) is None
    assert claim(['["a.png"]', '["b.png", "c.png"]']) is None


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(LISTS.map(json.dumps) | st.text(alphabet="[]1,.enul ", max_size=12), min_size=1, max_size=6))
def test_any_text_is_read_or_told(cells):
    found = plain().encode(column(cells))
    assert np.isfinite(found.values.values).all()
    unread = {row for row, cell in enumerate(cells) if cell and not found.present[row]}
    assert unread <= {problem.row for problem in found.problems}


# Time stamps


def stamped(folder, name, lines):
    (folder / name).write_text("\n".join(["time,a", *lines]) + "\n")
    return name


DAYS = ["2026-01-01,1", "2026-01-02,2", "2026-01-05,5"]


def test_steps_are_sorted_by_their_stamps(tmp_path):
    names = [stamped(tmp_path, "1.csv", DAYS), stamped(tmp_path, "2.csv", [DAYS[2], DAYS[0], DAYS[1]])]
    table = pa.table({"a": [5, 1, 2], "t": np.array(["2026-01-05", "2026-01-01", "2026-01-02"], "datetime64[ms]")})
    parquet.write_table(table, tmp_path / "3.parquet")
    found = plain(names=["a"]).encode(column([*names, "3.parquet"], folder=tmp_path))
    assert [found.values[row][:, 0].tolist() for row in range(3)] == [[1, 2, 5]] * 3
    last = plain(steps=1, names=["a"]).encode(column(names, folder=tmp_path))
    assert last.values[1][:, 0].tolist() == [5]


def test_the_time_since_the_step_before_is_a_channel_by_option(tmp_path):
    names = [stamped(tmp_path, "1.csv", DAYS), stamped(tmp_path, "2.csv", DAYS[::-1])]
    learnt = learn(names, tmp_path, since=True)
    assert (learnt.channels, learnt.mean[1]) == (2, 2 * 86_400)
    assert "time since the previous step" in learnt.describe()
    found = learnt.encode(column(names, folder=tmp_path))
    assert np.array_equal(found.values[0], found.values[1])
    assert found.values[0][:, [1, 3]].tolist() == [[0, 0], [-1, 1], [1, 1]]  # unknown, then a day, then three
    late = learn(names, tmp_path, since=True, steps=1).encode(column(names, folder=tmp_path))
    assert late.values[0][:, 3].tolist() == [1]  # how long it was is known though the step before is cut off


def test_numbers_may_be_stamps(tmp_path):
    (tmp_path / "1.csv").write_text("a,clock\n3,2.5\n1,0.5\n2,1\n")
    learnt = learn(["1.csv"], tmp_path, time="clock", since=True)
    assert learnt.names == ["a"]
    found = learnt.encode(column(["1.csv"], folder=tmp_path)).values[0]
    values = found[:, :2] * learnt.deviation + learnt.mean
    assert values[:, 0] == pytest.approx([1, 2, 3]) and values[1:, 1] == pytest.approx([0.5, 1.5])


def test_steps_of_one_moment_keep_their_order(tmp_path):
    name = stamped(tmp_path, "1.csv", ["2026-01-02,3", "2026-01-01,1", "2026-01-02,2"])
    assert plain(names=["a"]).encode(column([name], folder=tmp_path)).values[0][:, 0].tolist() == [1, 3, 2]


@pytest.mark.parametrize(
    ("lines", "options", "reason"),
    [
        (["2026-01-01,1", ",2"], {}, "has no timestamp"),
        (["soon,1", "later,2"], {"time": "time"}, "no dates or numbers"),
        (DAYS, {"time": "clock"}, "'clock' is not in the file"),
        (["soon,1", "later,2"], {"since": True}, "no timestamps"),
    ],
)
def test_stamps_that_are_none_leave_a_reason(lines, options, reason, tmp_path):
    name = stamped(tmp_path, "1.csv", lines)
    found = plain(1 + ("since" in options), names=["a"], **options).encode(column([name], folder=tmp_path))
    assert not found.present.any() and reason in found.problems[0].reason


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.permutations(range(6)), st.booleans())
def test_the_order_of_lines_does_not_matter(tmp_path_factory, order, since):
    folder = tmp_path_factory.getbasetemp()
    lines = [f"2026-01-{1 + 2 * day:02d},{day}.5" for day in range(6)]
    names = [stamped(folder, "in.csv", lines), stamped(folder, "un.csv", [lines[place] for place in order])]
    found = plain(1 + since, names=["a"], since=since).encode(column(names, folder=folder))
    assert np.array_equal(found.values[0], found.values[1]) and found.present.all()


def days_in_text(form, folder, separator=","):
    """Three steps out of order, their stamps as text."""
    days = [datetime.datetime(2026, 2, day, day) for day in (3, 1, 20)]
    lines = [f"{day.strftime(form)}{separator}{day.day}" for day in days]
    (folder / "1.csv").write_text("\n".join([f"when{separator}a", *lines]) + "\n")
    return "1.csv"


@pytest.mark.parametrize(
    "form", ["%d.%m.%Y", "%d/%m/%Y %H:%M", "%m/%d/%Y", "%d %b %Y", "%Y/%m/%d %H:%M:%S", "%d-%m-%Y"]
)
def test_steps_are_sorted_by_stamps_that_are_no_iso_dates(form, tmp_path):
    names = [days_in_text(form, tmp_path)]
    learnt = learn(names, tmp_path, steps=3)
    found = learnt.encode(column(names, folder=tmp_path)).values[0][:, 0] * learnt.deviation[0] + learnt.mean[0]
    assert found == pytest.approx([1, 3, 20]) and (learnt.time, learnt.names) == ("when", ["a"])
    again = Series.restore(*learnt.state())
    assert np.array_equal(again.encode(column(names, folder=tmp_path)).values[0], found_scaled(learnt, names, tmp_path))


def found_scaled(learnt, names, folder):
    return learnt.encode(column(names, folder=folder)).values[0]


def test_days_and_months_that_may_be_swapped_are_told_and_read_alike_in_every_file(tmp_path):
    (tmp_path / "1.csv").write_text("when,a\n02/01/2026,2\n01/01/2026,1\n01/02/2026,3\n")
    learnt = learn(["1.csv"], tmp_path)
    (told,) = learnt.findings("c")
    assert "day/month/year" in told.reason and told.cure == "--set modalities.c.day_first=false"
    month_first = learn(["1.csv"], tmp_path, day_first=False)
    assert month_first.findings("c") == []
    values = [found_scaled(one, ["1.csv"], tmp_path)[:, 0] for one in (learnt, month_first)]
    assert np.argsort(values[0]).tolist() == [0, 1, 2] and np.argsort(values[1]).tolist() == [0, 2, 1]


def test_decimal_commas_of_files_with_other_separators(tmp_path):
    (tmp_path / "1.csv").write_text("t;a;b\n1;0,5;7\n2;1,25;8\n")
    assert learn(["1.csv"], tmp_path).names == ["t", "a", "b"]
    (tmp_path / "2.csv").write_text("t;a\n1;1,234\n2;5,678\n")
    assert learn(["2.csv"], tmp_path).names == ["t"], "a thousand, or one and a bit"


# Many cells at once


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.none() | LISTS, min_size=1, max_size=6), st.integers(1, 4), st.integers(0, 2))
def test_lists_of_numbers_are_encoded_as_series_of_one_channel_are(cells, steps, cut):
    """Plain lists are encoded all together, the same to the bit as lists of steps, which have their turn each."""
    flat = pa.array([[0.5], *cells], pa.list_(pa.float64()))
    nested = [cell and [[value] for value in cell] for cell in flat.to_pylist()]
    nested = pa.array(nested, pa.list_(pa.list_(pa.float64())))
    ways = [open_table({"c": way}).column("c") for way in (flat, nested)]
    learnt = [Series.learn(way, steps=steps) for way in ways]
    assert (learnt[0].mean, learnt[0].deviation) == (learnt[1].mean, learnt[1].deviation)
    part = min(cut, len(cells))
    found, expected = (learnt[0].encode(way.slice(part, len(way) - part)) for way in ways)
    assert found.values.values.tobytes() == expected.values.values.tobytes()
    assert np.array_equal(found.values.offsets, expected.values.offsets)
    assert np.array_equal(found.present, expected.present)
    assert [(p.row, p.reason) for p in found.problems] == [(p.row, p.reason) for p in expected.problems]


def test_a_million_steps_are_encoded_at_once():
    lists = pa.array(list(np.random.default_rng(0).normal(size=(50_000, 20))))
    cells = open_table({"c": lists}).column("c")
    found = Series.learn(cells).encode(cells)
    assert found.present.all() and len(found.values) == 50_000
