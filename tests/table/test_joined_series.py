"""Several columns as one series: its steps or its channels; the same in every table that a model is given."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sensorium
from sensorium.config import TableConfig, parse_assignments
from sensorium.errors import ConfigError, TableError
from sensorium.table import open_table


def joined(table, gaps=False, **series):
    return open_table(table, TableConfig.model_validate({"series": series}), gaps=gaps)


def cells(table, name):
    return table.column(name).data.to_pylist()


def test_numbered_columns_are_steps_in_the_order_of_their_numbers():
    table = {"t10": [3, 30], "t2": [2.5, None], "target": [1, 2], "t1": [1, 10], "t": ["x", "y"]}
    found = joined(table, load="t*")
    assert cells(found, "load") == [[1.0, 2.5, 3.0], [10.0, None, 30.0]]
    assert set(found.columns) == {"target", "t", "load"}
    assert found.series == {"load": ["t1", "t2", "t10"]}


def test_named_columns_keep_their_order_and_empty_rows_are_missing():
    found = joined({"b": [1, None], "a": [2, None], "flag": [True, None]}, s=["b", "a", "flag"])
    assert cells(found, "s") == [[1.0, 2.0, 1.0], None]


@pytest.mark.parametrize("spell", [lambda lists: lists, lambda lists: [x and json.dumps(x) for x in lists]])
def test_lists_are_channels_aligned_at_their_last_step(spell):
    table = {"open": [[1, 2, 3], [5, 6], None, None], "close": [[10, None, 30], [60], [70], None], "row": [1, 2, 3, 4]}
    table |= {name: spell(table[name]) for name in ("open", "close")}
    found = joined(table, prices=["open", "close"])
    assert cells(found, "prices") == [[[1, 10], [2, None], [3, 30]], [[5, None], [6, 60]], [[None, 70]], None]
    (problem,) = found.problems
    assert (problem.row, problem.column) == (1, "prices") and "different lengths" in problem.reason


def test_a_series_may_be_made_of_those_before_it():
    table = {"a1": [1, 2], "a2": [3, 4], "b1": [5, 6], "b2": [7, 8]}
    found = joined(table, a="a*", b="b*", both=["a", "b"])
    assert cells(found, "both") == [[[1, 5], [3, 7]], [[2, 6], [4, 8]]]
    assert found.columns == ["both"]


def test_a_step_that_is_no_number_is_a_gap_and_told_with_its_row():
    found = joined({"t1": ["1", "2"], "t2": ["3", "about 4"]}, s="t*")
    assert cells(found, "s") == [[1.0, 3.0], [2.0, None]]
    (problem,) = found.problems
    assert (problem.row, problem.column, problem.value) == (1, "s", "about 4") and "t2" in problem.reason
    assert [problem.row for problem in found.take([1, 0, 1]).problems] == [0, 2]


def test_text_that_spells_no_list_is_a_gap_and_told():
    found = joined({"a": ["[1, 2]", "[1", '["x"]'], "b": ["[3, 4]", "[5]", "[6]"]}, s=["a", "b"])
    assert cells(found, "s") == [[[1, 3], [2, 4]], [[None, 5]], [[None, 6]]]
    assert {problem.row for problem in found.problems} == {1, 2}


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ({"s": "u*"}, r"no column 'u\*'"),
        ({"s": ["t1", "t3"]}, "no column 't3'"),
        ({"s": ["t1", "t1"]}, "occurs twice"),
        ({"word": ["t1", "t2"]}, "already has a column 'word'"),
        ({"s": ["t1", "lists"]}, "'lists' holds lists and column 't1' does not"),
        ({"s": ["day"]}, "has the type date"),
        ({"s": ["words"]}, "rule: lists of numbers"),
        ({"s": ["u1"], "word": ["t1"]}, "2 faults"),
    ],
)
def test_what_can_be_no_series_is_refused(series, message):
    day = np.array(["2026-01-01", "2026-01-02"], "datetime64[D]")
    table = {"t1": [1, 2], "t2": [3, 4], "word": ["x", "y"], "lists": [[1], [2]], "day": day, "words": [["a"], ["b"]]}
    with pytest.raises(TableError, match=message):
        joined(table, **series)


def test_a_series_has_columns():
    with pytest.raises(ConfigError, match=r"table\.series\.s"):
        sensorium.inspect({"a": [1, 2]}, config={"table": {"series": {"s": []}}})


NUMBERS = st.none() | st.floats(allow_nan=False)


@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_steps_are_the_cells_of_their_row(rows):
    table = {f"t{step}": [float("nan") if row[step] is None else row[step] for row in rows] for step in range(3)}
    expected = [None if all(value is None for value in row) else row for row in rows]
    assert cells(joined(table, s="t*"), "s") == expected


LISTS = st.none() | st.lists(NUMBERS, max_size=4)


@given(st.lists(st.tuples(LISTS, LISTS), min_size=1, max_size=8))
def test_channels_are_the_cells_of_their_row(rows):
    table = {"a": [[0.0], *(a for a, _ in rows)], "b": [[0.0], *(b for _, b in rows)]}
    found = cells(joined(table, s=["a", "b"]), "s")[1:]
    for (a, b), steps in zip(rows, found, strict=True):
        assert (steps is None) == (a is None and b is None)
        for channel, values in enumerate((a or [], b or [])):
            got = [step[channel] for step in steps or []]
            assert got == [None] * (len(got) - len(values)) + values


# In a model


@pytest.fixture(scope="module")
def wide():
    """Twelve columns whose last one tells the label, in no order, and a number."""
    random = np.random.default_rng(0)
    walks = random.normal(size=(80, 12)).cumsum(1)
    table = {f"t{step}": walks[:, step].tolist() for step in random.permutation(12)}
    return table | {"size": random.normal(size=80).tolist(), "label": np.where(walks[:, 11] > 0, "up", "down").tolist()}


@pytest.fixture(scope="module")
def model(wide, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    sensorium.fit(wide, "label", config={"table": {"series": {"load": "t*"}}}, epochs=8, progress=False, out=out)
    return sensorium.load(out)


def test_a_model_makes_the_series_of_every_table_it_is_given(wide, model):
    assert model.columns == {"load": "series", "size": "number"}
    assert model.card["columns"][-1]["reason"] == "by setting: t0 … t11"
    assert model.evaluate(wide).metrics["accuracy"] > 0.8
    turned = dict(reversed(wide.items()))
    assert np.array_equal(model.predict_proba(turned), model.predict_proba(wide))
    more = {**wide, "t12": [1e6] * 80}  # it was not there when `t*` was read
    assert np.array_equal(model.predict_proba(more), model.predict_proba(wide))


def test_columns_that_a_series_lacks_when_predicting_are_gaps_and_told(wide, model):
    left = {name: column for name, column in wide.items() if name not in ("t3", "t4")}
    gaps = wide | {"t3": [None] * 80, "t4": [None] * 80}
    assert np.array_equal(model.predict_proba(left), model.predict_proba(gaps))
    (problem,) = model.predictions(left).problems
    assert problem.reason == "it is made of columns that the table lacks (t3, t4): missing in every row"
    assert [problem.column for problem in model.predictions({"size": wide["size"]}).problems] == ["load"]


def test_a_bad_step_is_told_with_its_row(wide, model):
    odd = wide | {"t4": [*map(str, wide["t4"][:70]), "broken", *map(str, wide["t4"][71:])]}
    assert (
        model.predictions(odd).to_arrow()["problem"].to_pylist()[70].startswith("load: t4: a step that is not a number")
    )
    found = sensorium.inspect(odd, "label", config={"table": {"series": {"load": "t*"}}})
    (load,) = (column for column in found.columns if column.name == "load")
    assert load.modality == "series" and load.faults[0]["rows"] == [70]


def test_an_inspection_points_at_runs_of_numbered_columns(wide):
    (advice,) = (a for a in sensorium.inspect(wide, "label").advice if "series" in a["setting"])
    assert advice["setting"] == 'table.series={t: "t*"}' and "t0 … t11" in advice["reason"]
    taken = sensorium.inspect(wide, "label", config=parse_assignments([advice["setting"]]))
    assert {column.name: column.modality for column in taken.columns}["t"] == "series"
    few = {name: column for name, column in wide.items() if name not in ("t0", "t1", "t2", "t3", "t4")}
    for found in (taken, sensorium.inspect(few, "label")):
        assert not [a for a in found.advice if "series" in a["setting"]]
