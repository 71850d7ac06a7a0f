"""Windows over a long table: each row knows its past alone, and splits don't overlap in time."""

import datetime
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sensorium
from sensorium.config import Config, TableConfig
from sensorium.errors import ConfigError, SchemaError, TableError
from sensorium.split import make_split
from sensorium.table import open_table

PLAIN = {"entity": "name", "time": "day", "values": ["price"], "target": "price", "length": 3}


def windows(table, gaps=False, **settings):
    return open_table(table, TableConfig.model_validate({"windows": {**PLAIN, **settings}}), gaps=gaps)


def rows(table):
    return table.arrow.to_pylist()


def long(prices, **columns):
    """Entity → its prices, a day each."""
    table = {"name": [], "day": [], "price": []}
    for name, values in prices.items():
        table["name"] += [name] * len(values)
        table["day"] += [f"2026-01-{1 + day:02d}" for day in range(len(values))]
        table["price"] += values
    return table | columns


def day(number):
    return datetime.datetime(2026, 1, number)


def test_a_row_has_the_last_steps_and_a_later_target():
    found = windows(long({"a": [1, 2, 3, 4, 5], "b": [10, 20, 30]}), horizon=2)
    assert rows(found) == [
        dict(zip(("name", "day", "price", "window_start", "target_time", "price_ahead"), cells, strict=True))
        for cells in [
            ("a", day(3), [1, 2, 3], day(1), day(5), 5),
            ("a", day(4), [2, 3, 4], day(2), None, None),
            ("a", day(5), [3, 4, 5], day(3), None, None),
            ("b", day(3), [10, 20, 30], day(1), None, None),
        ]
    ]
    assert found.notes == ("windows: 4 windows of 3 steps from 8 rows of 2 entities",)


@pytest.mark.parametrize(
    ("predict", "ahead"),
    [
        ("value", [4.0, 4.0, 6.0]),
        ("change", [2.0, 0.0, 2.0]),
        ("return", [1.0, 0.0, 0.5]),
        ("rises", [True, False, True]),
    ],
)
def test_the_target_is_a_value_or_how_it_changes(predict, ahead):
    found = windows(long({"a": [1.0, 2.0, 4.0, 4.0, 6.0]}), length=2, predict=predict)
    assert found.column("price_ahead").data.to_pylist() == [*ahead, None]


def test_a_change_from_or_to_what_is_unknown_is_no_target():
    found = windows(long({"a": [1.0, 0.0, 5.0, None, 6.0]}), length=1, predict="return")
    assert found.column("price_ahead").data.to_pylist() == [-1.0, None, None, None, None]


def test_other_columns_are_those_of_the_last_step_and_a_label_may_be_text():
    table = long({"a": [1, 2, 3, 4]}, mood=["w", "x", "y", "z"], sector=["s", "t", "u", "v"])
    found = windows(table, target="mood", length=2)
    assert found.column("mood_ahead").data.to_pylist() == ["y", "z", None]
    assert found.column("sector").data.to_pylist() == ["t", "u", "v"]
    assert "mood" not in found.columns  # of the present step it may be a label that itself looks ahead


def test_without_entity_all_rows_are_of_one_and_every_skips():
    table = {"day": [5, 1, 4, 2, 3], "price": [50, 10, 40, 20, 30]}
    found = windows(table, entity=None, length=2, every=2)
    assert found.column("price").data.to_pylist() == [[30, 40], [10, 20]]  # in the order of the table's rows
    assert found.column("target_time").data.to_pylist() == [5, 3]


def test_the_time_between_steps_is_a_series_by_option():
    dates = windows({"day": ["2026-01-01", "2026-01-02", "2026-01-05"], "price": [1, 2, 3]}, entity=None, since=True)
    assert dates.column("since").data.to_pylist() == [[None, 86_400, 3 * 86_400]]
    clock = windows({"day": [0.5, 1.0, 4.0], "price": [1, 2, 3]}, entity=None, length=2, since=True)
    assert clock.column("since").data.to_pylist() == [[None, 0.5], [0.5, 3.0]]


@pytest.mark.parametrize(
    "stamps",
    [
        ["2026-01-01 09:30", "2026-01-01T09:31:00", "2026-01-01T10:32:00+01:00"],
        [datetime.date(2026, 1, 1), datetime.date(2026, 1, 2), datetime.date(2026, 2, 1)],
        [day(1), day(1) + datetime.timedelta(microseconds=1), day(2)],
        [1, 2, 3],
        [0.1, 0.2, 1e300],
    ],
)
def test_any_kind_of_stamp_orders_the_rows(stamps):
    shuffled = windows({"day": [stamps[2], stamps[0], stamps[1]], "price": [3, 1, 2]}, entity=None)
    assert shuffled.column("price").data.to_pylist() == [[1, 2, 3]]


def test_rows_without_place_and_twins_are_left_out_and_told():
    table = {
        "name": ["a", "a", None, "a", "a", "b", "a"],
        "day": ["2026-01-01", "soon", "2026-01-02", None, "2026-01-02", "2026-01-01", "2026-01-02"],
        "price": ["1", "9", "9", "9", "7", "5", "much"],
    }
    found = windows(table, length=2)
    assert rows(found)[0]["price"] == [1.0, None]  # the later of the twins counts
    assert found.notes == (
        "windows: 2 rows left out for lack of a time in 'day'",
        "windows: 1 row left out for lack of an entity in 'name'",
        "windows: 1 row left out because a later row has the same entity and time",
        "windows: 1 window of 2 steps from 3 rows of 2 entities; 1 have fewer than 2 steps and give no window",
        "windows: 1 cell of price without a number is read as missing",
    )


def test_a_series_of_several_columns_is_known_at_the_last_step():
    table = long({"a": [1, 2, 3]}, t1=["5", "6", "bad"], t2=[7, 8, 9])
    settings = {"windows": {**PLAIN, "length": 2}, "series": {"load": "t*"}}
    found = open_table(table, TableConfig.model_validate(settings))
    assert found.column("load").data.to_pylist() == [[6, 8], [None, 9]]
    assert (
        not found.problems and "t1: a step that is not a number" in found.notes[-1]
    )  # its row is that of the long table


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"time": "dya"}, "did you mean 'day'"),
        ({"entity": "who", "values": ["cost"]}, "2 faults"),
        ({"time": "word"}, "no row has a time in 'word'"),
        ({"time": "flag"}, "the time column has the type bool"),
        ({"entity": "days"}, "the entity column has the type list"),
        ({"values": ["days"]}, "'days' has the type list"),
        ({"length": 9}, "no window of 9 steps fits: the longest entity has 4 steps"),
        ({"target": "taken"}, "has a column 'taken_ahead'"),
    ],
)
def test_what_cannot_be_cut_is_refused(settings, message):
    table = long(
        {"a": [1, 2, 3, 4]}, word=["x"] * 4, flag=[True] * 4, days=[["x"]] * 4, taken=[1] * 4, taken_ahead=[1] * 4
    )
    with pytest.raises(TableError, match=message):
        windows(table, **settings)


def test_settings_are_checked():
    with pytest.raises(ConfigError, match=r"table\.windows\.(.|\n)*length"):
        Config.gather({"table": {"windows": {"time": "day", "values": "price", "target": "price"}}})
    with pytest.raises(ConfigError, match="did you mean 'length'"):
        Config.gather({"table": {"windows": {**PLAIN, "lenght": 3}}})
    with pytest.raises(ConfigError, match=r"table\.windows\.horizon"):
        Config.gather({"table": {"windows": {**PLAIN, "horizon": 0}}})


@pytest.mark.slow
def test_windows_of_a_million_rows():
    """Work that grew with the square of the rows would not end."""
    random = np.random.default_rng(0)
    names, days = random.integers(0, 1000, 1_000_000), random.permutation(1_000_000)
    found = windows({"name": names, "day": days, "price": days * 0.5}, length=8)
    assert len(found) == 1_000_000 - 7 * 1000


# By hand

STEPS = st.tuples(st.sampled_from(["a", "b", None]), st.none() | st.integers(0, 6), st.none() | st.integers(-9, 9))


@given(st.lists(STEPS, min_size=1, max_size=14), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_windows_are_those_that_are_cut_by_hand(steps, length, horizon, every):
    table = pa.table(
        {
            "name": pa.array([name for name, _, _ in steps], pa.string()),
            "day": pa.array([at for _, at, _ in steps], pa.int64()),
            "price": pa.array([price for _, _, price in steps], pa.int64()),
        }
    )
    expected = {}
    for name in ("a", "b"):
        kept = {at: row for row, (whose, at, _) in enumerate(steps) if whose == name and at is not None}
        order = [kept[at] for at in sorted(kept)]
        for place in range(length - 1, len(order), every):
            later = order[place + horizon] if place + horizon < len(order) else None
            past = [steps[row][2] for row in order[place - length + 1 : place + 1]]
            past = None if all(value is None for value in past) else past
            expected[order[place]] = (past, None if later is None else steps[later][2])
    if not expected:
        with pytest.raises(TableError, match=r"no window|no row"):
            windows(table, length=length, horizon=horizon, every=every)
        return
    found = rows(windows(table, length=length, horizon=horizon, every=every))
    assert [(row["price"], row["price_ahead"]) for row in found] == [expected[row] for row in sorted(expected)]


# No row looks ahead

FUTURE = 30


def market(seed=0, entities=4, days=50):
    """Irregular days, unsorted."""
    random = np.random.default_rng(seed)
    table = {"name": [], "day": [], "price": [], "mood": []}
    for name in range(entities):
        there = np.flatnonzero(random.random(days) < 0.8)
        table["name"] += [f"e{name}"] * len(there)
        table["day"] += there.tolist()
        table["price"] += random.normal(size=len(there)).cumsum().tolist()
        table["mood"] += random.choice(["good", "bad"], len(there)).tolist()
    order = random.permutation(len(table["day"]))
    return {name: [column[row] for row in order] for name, column in table.items()}


def changed_after(table, moment, seed=1):
    """Every cell of later rows is another one, and some of these rows are gone."""
    random = np.random.default_rng(seed)
    later = [row for row, at in enumerate(table["day"]) if at > moment]
    kept = {row for row, at in enumerate(table["day"]) if at <= moment} | set(later[::3])
    found = {name: list(column) for name, column in table.items()}
    for row in later:
        found["price"][row] = float(random.normal(1000, 500))
        found["mood"][row] = "other"
        found["day"][row] = moment + 1 + int(random.integers(99))
    return {name: [cell for row, cell in enumerate(column) if row in kept] for name, column in found.items()}


def features(table, moment):
    """What the rows up to a moment know, as bytes: all but the target and its time."""
    past = table.arrow.filter(pa.array([at <= moment for at in table.column("day").data.to_pylist()]))
    return {
        name: str(past.column(name).to_pylist())
        for name in past.column_names
        if name not in ("price_ahead", "target_time")
    }


def looks_ahead(cut, moment=FUTURE):
    table = market()
    assert len(features(cut(table), moment)["price"]) > 100
    return features(cut(table), moment) != features(cut(changed_after(table, moment)), moment)


def test_the_past_does_not_change_with_the_future():
    assert not any(
        looks_ahead(lambda table: windows(table, since=True, horizon=5), moment) for moment in (5, 17, 30, 44)
    )


def standardised_over_all(table):
    price = np.array(table["price"])
    return windows({**table, "price": ((price - price.mean()) / price.std()).tolist()})


def with_the_target_in_it(table):
    found = windows(table)
    ahead = found.arrow["price_ahead"]
    return replace(found, arrow=found.arrow.set_column(found.columns.index("price"), "price", ahead))


@pytest.mark.parametrize("leaking", [standardised_over_all, with_the_target_in_it])
def test_windows_that_look_ahead_would_be_caught(leaking):
    assert looks_ahead(leaking)


# Splits


def split_of(table, config):
    return make_split(table, table.column("price_ahead"), config.split, None, 0)


@given(st.integers(0, 40), st.integers(1, 5), st.integers(1, 5), st.sampled_from([0.1, 0.3]))
def test_no_row_reaches_into_the_windows_of_a_later_split(seed, length, horizon, share):
    settings = {**PLAIN, "length": length, "horizon": horizon}
    config = Config.gather({"table": {"windows": settings}, "split": {"validation": share, "test": share}})
    table = open_table(market(seed, days=80), config.table)
    codes = split_of(table, config).codes
    begins, ends, day = (table.column(name).data for name in ("window_start", "target_time", "day"))
    begins, day = begins.to_numpy(), day.to_numpy()
    ends = ends.fill_null(10**6).to_numpy()
    labelled = table.column("price_ahead").present
    assert set(codes[labelled]) >= {0, 1, 2} and (codes[~labelled] == -1).all()
    for code in (0, 1):
        later = begins[codes > code].min()
        assert (ends[codes == code] < later).all()
        first = day[codes > code].min()
        left = labelled & (codes == -1) & (day < first) & ((day > day[codes == code].max()) | (code == 0))
        assert (ends[left] >= begins[codes > 0].min()).all(), "no row is left out without need"


def test_how_many_rows_are_left_out_is_told():
    config = Config.gather({"table": {"windows": PLAIN}})
    found = split_of(open_table(market(), config.table), config)
    assert (
        f"{(found.codes == -1).sum() - 4} rows that overlap with the period of a later split are left out" in found.how
    )


def test_windows_bring_their_target_and_split_unless_another_is_set():
    given_windows = {"table": {"windows": PLAIN}}
    config = Config.gather(given_windows)
    assert (config.target, config.split.time, config.split.span) == (
        "price_ahead",
        "day",
        ("window_start", "target_time"),
    )
    assert Config.model_validate(config.model_dump(mode="json")) == config
    grouped = Config.gather(given_windows, {"target": "mood", "split": {"group": "name"}})
    assert (grouped.target, grouped.split.time, grouped.split.span) == ("mood", None, None)


def test_spans_of_two_kinds_are_refused():
    table = {"t": [1, 2, 3, 4, 5], "a": [1, 2, 3, 4, 5], "b": ["2026-01-01"] * 5, "y": [0, 1, 0, 1, 0]}
    config = {"split": {"time": "t", "span": ["a", "b"]}}
    with pytest.raises(SchemaError, match="hold different types: int64 and string"):
        sensorium.fit(table, "y", config=config, progress=False)


# In a model


def momentum():
    """A price goes on as it went for the last two days, most of the time."""
    random = np.random.default_rng(0)
    table = {"name": [], "day": [], "price": []}
    for name in range(6):
        change = [1.0]
        for _ in range(99):
            change.append(change[-1] * (1 if random.random() < 0.9 else -1))
        table["name"] += [f"e{name}"] * 100
        table["day"] += [str(np.datetime64("2026-01-01") + np.timedelta64(at, "D")) for at in range(100)]
        table["price"] += np.cumsum(change).tolist()
    return table


SETTINGS = {
    "table": {"windows": {**PLAIN, "length": 4, "predict": "rises"}},
    "modalities": {"price": {"name": "series", "scale": "cell"}},
    "exclude": ["day", "name"],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    sensorium.fit(momentum(), config=SETTINGS, epochs=12, progress=False, out=out)
    return sensorium.load(out)


def test_a_long_table_is_fitted_evaluated_and_predicted(model):
    assert (model.task, model.target, model.columns) == ("binary", "price_ahead", {"price": "series"})
    assert model.evaluate(momentum()).metrics["accuracy"] > 0.8
    assert "600 rows of 6 entities" in model.card["notes"][0]
    today = {name: cells[95:100] for name, cells in momentum().items()}
    answers = model.predictions(today).to_arrow()
    assert answers.select(["row", "name"]).to_pylist() == [{"row": 0, "name": "e0"}, {"row": 1, "name": "e0"}]
    assert answers["day"].to_pylist()[-1] == datetime.datetime(2026, 4, 10)  # whose target nobody knows yet


def weights(table, **settings):
    found = sensorium.fit(table, config={**SETTINGS, **settings}, epochs=2, progress=False).fitted.network.state_dict()
    return b"".join(found[name].numpy().tobytes() for name in sorted(found))


@pytest.mark.slow
def test_nothing_of_the_test_period_reaches_the_weights():
    """No training row reaches into it, statistics are those of training rows: the weights are the same to the bit."""
    table, config = momentum(), Config.gather(SETTINGS)
    made = open_table(table, config.table)
    test = split_of(made, config).rows("test")
    begin = str(made.column("window_start").take(test).data.to_numpy().min())[:10]
    other = {
        **table,
        "price": [p if at < begin else -7.0 * p for p, at in zip(table["price"], table["day"], strict=True)],
    }
    assert table != other
    assert weights(table) == weights(other)
    assert weights(table, split={"group": "name"}) != weights(other, split={"group": "name"})
