"""Targets far from all others are told, and neither scale nor training is theirs."""

import numpy as np
import pytest

import sensorium
from sensorium.registry import tasks
from sensorium.table import open_table


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


def with_some(others, share=0.0, count=3, seed=0):
    random = np.random.default_rng(seed)
    values = random.normal(20, 8, 400).round(2)
    rows = random.permutation(400)[: int(share * 400) or count]
    values[rows] = np.resize(others, len(rows))
    return values


@pytest.mark.parametrize(
    "values",
    [
        with_some([1e9, -1e9, 1e9]),
        with_some([999999999.0]),
        with_some([1e30, -1e30], count=2),
        with_some([1e12], count=1),
        with_some([-999.0], share=0.05),
        with_some([9999.0, -9999.0], share=0.1),
        with_some([1e9], share=0.2),
        np.concatenate([np.random.default_rng(0).integers(18, 90, 300), [999] * 5]),
    ],
)
def test_typing_errors_and_codes_are_told_and_do_not_set_the_scale(values):
    far = np.abs(values) > 500
    task = tasks.load("regression").learn(column(values), "auto")
    (told,) = task.findings("c")
    assert f"{far.sum()} of {len(values)} labels" in told.reason and "train.outliers=keep" in told.cure
    assert task.mean == pytest.approx(values[~far].mean()) and task.deviation == pytest.approx(values[~far].std())
    target = task.encode(column(values))
    kept = task.without_outliers(target, np.ones(len(values), bool))
    assert target.known.all() and (kept.known == ~far).all()
    assert [problem.row for problem in kept.problems] == np.flatnonzero(far).tolist()


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=400),
        np.random.default_rng(0).lognormal(10, 1.5, 400),
        np.random.default_rng(0).pareto(2, 400),
        np.random.default_rng(0).standard_cauchy(200),
        np.random.default_rng(0).integers(0, 10, 400),
        np.where(np.arange(400) % 20 == 0, np.random.default_rng(0).gamma(2, 500, 400), 0),
        np.random.default_rng(0).choice([9.99, 19.99, 49.0, 99.0, 199.0, 999.0], 400),
        np.concatenate([np.random.default_rng(0).normal(0, 1, 200), np.random.default_rng(0).normal(1000, 1, 200)]),
        np.ones(50),
        np.array([1.0, 2.0, 1e9]),
    ],
)
def test_nothing_is_told_of_long_tails_and_of_two_groups(values):
    task = tasks.load("regression").learn(column(values), "auto", target_transform="none", loss="squared")
    assert task.findings("c") == [] and task.mean == pytest.approx(values.mean())
    target = task.encode(column(values))
    assert task.without_outliers(target, np.ones(len(values), bool)) is target


@pytest.fixture(scope="module")
def lines():
    x = np.random.default_rng(0).normal(size=400)
    y = x * 2 + 0.123
    y[:3] = 1e9, -1e9, 1e9
    return {"x": x, "y": y}


@pytest.mark.slow
def test_ordinary_rows_are_answered_right(lines):
    model = sensorium.fit(lines, "y", epochs=30, progress=False)
    np.testing.assert_allclose(model.predict({"x": [-1.0, 0.0, 1.0]}), [-1.9, 0.1, 2.1], atol=0.3)
    assert abs(model.fitted.prior[0]) < 1


def test_it_is_told_by_inspection_and_fit(lines):
    assert "3 of 400 labels are far from all others" in sensorium.inspect(lines, "y").target["caution"]
    model = sensorium.fit(lines, "y", epochs=1, progress=False)
    (notice,) = [notice for notice in model.card["notices"] if "far from all others" in notice["reason"]]
    assert notice["column"] == "y" and not notice["rows"]


def test_outliers_are_trained_on_where_that_is_set(lines):
    model = sensorium.fit(lines, "y", epochs=1, progress=False, train={"outliers": "keep"})
    assert model.fitted.task.deviation > 1e6
    assert [p for p in model.fit_problems.whole() if "far from all others" in p.reason]


def test_a_stray_validation_label_does_not_choose_the_epoch():
    x = np.random.default_rng(0).normal(size=100)
    split = ["train"] * 70 + ["val"] * 20 + ["test"] * 10
    y = np.where(np.arange(100) == 75, 1e9, x * 2)
    model = sensorium.fit({"x": x, "y": y, "split": split}, "y", epochs=1, progress=False)
    assert [problem.row for problem in model.fit_problems.of_cells()] == [75]


def test_of_several_targets_each_has_its_own(lines):
    both = {**lines, "label": ["b" if value > 0 else "a" for value in lines["x"]]}
    model = sensorium.fit(both, ["y", "label"], epochs=1, progress=False)
    assert [p.column for p in model.fit_problems.whole() if "far from" in p.reason] == ["y"]
    assert model.card["rows"]["train"] + model.card["rows"]["validation"] + model.card["rows"]["test"] == 400
    assert model.fitted.task.parts["y"].deviation < 5
