"""Intervals and paired differences resample groups of rows, wherever the split has groups."""

import json

import numpy as np
import pytest
from outcomes import outcome

import sensorium
from sensorium.evaluate import (
    compare_losses,
    compare_outcomes,
    compare_runs,
    evaluate_outcome,
    evaluate_runs,
    score_subsets,
)
from sensorium.evaluate.bootstrap import group_resamples
from sensorium.metrics import Outcome, log_losses
from sensorium.report import comparison_text, evaluation_text

unit = pytest.mark.unit


def width(bounds):
    return bounds[1] - bounds[0]


def copies(right, times=10):
    """Each row several times over, which is as good as one row: the outcome by group, and without groups."""
    rows = np.repeat(np.arange(len(right)), times)
    single = outcome(right)
    return single, single.take(rows).grouped(rows), single.take(rows)


@unit
def test_rows_of_a_group_are_drawn_together_and_one_group_fewer_than_there_are():
    groups = np.array([7, 3, 7, 7, 5, 3])
    drawn = np.concatenate(list(group_resamples(groups, 200)))
    assert drawn.shape == (200, 6)
    assert (drawn[:, groups == 7].std(1) == 0).all() and (drawn[:, groups == 3].std(1) == 0).all()
    assert (drawn[:, [0, 1, 4]].sum(1) == 2).all()
    assert {*drawn[:, 0]} == {0, 1, 2}


@unit
def test_large_tables_resample_groups_in_blocks_of_the_same_draws():
    groups = np.arange(40) // 4
    whole, parts = (np.concatenate(list(group_resamples(groups, 50, cells=n))) for n in (10**6, 100))
    assert np.array_equal(whole, parts)


@unit
def test_copies_of_a_row_in_a_group_do_not_narrow_an_interval():
    single, grouped, ignored = copies(np.random.default_rng(0).random(60) < 0.7)
    widths = [width(evaluate_outcome(each, ["accuracy"]).intervals["accuracy"]) for each in (single, grouped, ignored)]
    assert widths[1] == pytest.approx(widths[0], rel=0.1)
    assert widths[2] < 0.4 * widths[0]
    assert [evaluate_outcome(each, ["accuracy"]).groups for each in (single, grouped)] == [None, 60]


@unit
def test_copies_of_a_row_in_a_group_do_not_make_a_difference_significant():
    row = np.arange(40)  # 9 rows that only the first predicts correctly, 5 that only the second does
    good, bad = copies(row < 30), copies((row >= 9) & (row < 35))
    single, grouped, ignored = (compare_outcomes(*pair, "accuracy") for pair in zip(good, bad, strict=True))
    assert width(grouped.interval) == pytest.approx(width(single.interval), rel=0.2)
    assert not grouped.helps and ignored.helps
    assert grouped.p > 0.05 > ignored.p


@unit
def test_several_runs_and_subsets_of_modalities_resample_groups_too():
    random = np.random.default_rng(1)
    grouped, ignored = zip(*(copies(random.random(50) < 0.7)[1:] for _ in range(3)), strict=True)
    means = [width(evaluate_runs(runs, ["accuracy"]).intervals["accuracy"]) for runs in (grouped, ignored)]
    assert means[0] > 1.5 * means[1]
    gains = [width(compare_runs(runs[:1], runs[1:], "accuracy").interval) for runs in (grouped, ignored)]
    assert gains[0] > 1.5 * gains[1]
    names = [("a",), ("b",), ("a", "b")]
    subsets = [
        score_subsets(dict(zip(names, runs, strict=True)), dict.fromkeys(names, 500), runs[0], "accuracy")
        for runs in (grouped, ignored)
    ]
    wide, narrow = ([width(found.interval) for found in (*s.results, *s.shares.values())] for s in subsets)
    assert all(one > 1.5 * other for one, other in zip(wide, narrow, strict=True))


@unit
@pytest.mark.filterwarnings("error")
def test_rows_of_one_group_have_no_interval():
    only = outcome([True, False, True]).grouped(np.zeros(3, int))
    found = evaluate_outcome(only, ["accuracy", "roc_auc", "ece_adaptive"])
    assert found.metrics["accuracy"] == pytest.approx(2 / 3)
    assert np.isnan([*found.intervals.values()]).all()
    assert compare_outcomes(only, only, "accuracy").undefined


@unit
def test_losses_are_compared_with_the_draws_of_outcomes():
    random = np.random.default_rng(0)
    truth, groups = random.integers(0, 2, 60), random.integers(0, 12, 60)
    first, second = (Outcome(truth, scores, scores.argmax(1)) for scores in random.dirichlet([2, 2], (2, 60)))
    for own in (None, groups):
        pair = [each if own is None else each.grouped(own) for each in (first, second)]
        expected = compare_outcomes(*pair, "log_loss", seed=3)
        found = compare_losses(log_losses(first), log_losses(second), "log_loss", groups=own, seed=3)
        assert (found.value, *found.interval) == pytest.approx((expected.value, *expected.interval))
        assert found.p == expected.p


@unit
@pytest.mark.filterwarnings("error")
def test_losses_of_one_group_have_no_interval():
    assert compare_losses(np.ones(3), np.arange(3.0), "log_loss", groups=np.zeros(3, int)).undefined


@unit
def test_intervals_of_losses_over_few_groups_cover_the_truth_about_as_often_as_they_say():
    """Losses of 8 groups of 5 rows; the mean difference is 0. Intervals over so few groups are a little too narrow."""
    random, groups, covered = np.random.default_rng(0), np.repeat(np.arange(8), 5), 0
    for seed in range(400):
        gains = np.repeat(random.normal(size=8), 5) + 0.3 * random.normal(size=40)
        low, high = compare_losses(np.zeros(40), gains, "log_loss", groups=groups, seed=seed).interval
        covered += low <= 0 <= high
    assert 0.88 <= covered / 400 <= 0.97


@pytest.mark.slow
@unit
def test_intervals_over_groups_cover_the_truth_about_as_often_as_they_say():
    """40 groups of 8 rows that are much alike: intervals over rows are far too narrow."""
    random, covered = np.random.default_rng(0), np.zeros(2)
    groups = np.repeat(np.arange(40), 8)
    for seed in range(120):
        right = outcome(random.random(320) < random.beta(2.4, 0.6, 40)[groups])
        for place, each in enumerate((right.grouped(groups), right)):
            low, high = evaluate_outcome(each, ["accuracy"], seed).intervals["accuracy"]
            covered[place] += low <= 0.8 <= high
    assert 0.90 <= covered[0] / 120 <= 0.99
    assert covered[1] / 120 < 0.85


ROWS = 240


def table(seed=0, rows=ROWS, patients=24):
    """Numbers and texts of patients; rows of a patient have one label."""
    random = np.random.default_rng(seed)
    patient = np.arange(rows) % patients
    label = random.integers(0, 2, patients)[patient]
    return {
        "size": (label + random.normal(size=rows)).tolist(),
        "note": [f"{random.choice(['calm', 'loud'], p=[0.7, 0.3] if own else [0.3, 0.7])} today" for own in label],
        "patient": [f"p{number:02}" for number in patient],
        "part": [["train", "validation", "test"][number % 3] for number in patient],
        "label": [["no", "yes"][own] for own in label],
    }


@pytest.fixture(scope="module", params=[{}, {"column": "part"}], ids=["made", "named"])
def split(request):
    return {"group": "patient", "test": 0.25, **request.param}


def fit(split, out=None):
    kinds = {"size": "number", "note": "text"}
    columns = {"columns": ["size", "note"], "modalities": kinds}
    return sensorium.fit(table(), "label", epochs=1, split=split, out=out, progress=False, **columns)


def test_fit_and_evaluate_resample_the_groups_of_the_split(split, tmp_path):
    model = fit(split, tmp_path)
    rows = model.evaluate(table(), "test", subsets=True)
    part = model.evaluate({name: cells for name, cells in table().items() if name != "patient"}, "all")
    expected = 8 if "column" in split else 6
    assert model.test.groups == rows.groups == expected == model.card["metrics"]["test"]["groups"]
    assert model.test.intervals["accuracy"] == pytest.approx(rows.intervals["accuracy"])
    assert rows.subsets.results[-1].interval == pytest.approx(rows.intervals[rows.subsets.metric])
    assert rows.to_json()["groups"] == expected
    assert f"; intervals resample {expected} groups" in str(rows)
    assert part.groups is None and "groups" not in part.to_json()
    assert any("the table has no column 'patient'" in problem.reason for problem in part.problems)
    again = fit(split, tmp_path)  # the finished run
    assert again.test.groups == expected
    assert again.test.intervals["accuracy"] == model.test.intervals["accuracy"]


@pytest.mark.slow
def test_other_tables_resample_their_own_groups(split):
    found = fit(split).evaluate(table(seed=1, rows=120, patients=12), "all")
    assert found.groups == 12
    ungrouped = fit({"column": "part", "group": None}).evaluate(table(), "all")
    assert ungrouped.groups is None
    assert not [problem for problem in ungrouped.problems if "groups" in problem.reason]


@pytest.mark.slow
def test_compare_resamples_the_groups_of_the_split(tmp_path):
    split = {"group": "patient", "column": "part"}
    kinds = {"size": "number", "note": "text"}
    settings = {"epochs": 1, "progress": False, "columns": ["size", "note"], "modalities": kinds}
    chosen = {"fusions": ["concat"], "baselines": ["linear"]}
    found = sensorium.compare(table(), "label", split=split, out=tmp_path / "a", **chosen, **settings)
    groups = 8
    assert found.groups == groups == found.to_json()["groups"]
    assert {result.evaluation.groups for result in found.results} == {groups}  # the baseline's too
    again = sensorium.compare(table(), "label", split=split, out=tmp_path / "a", **chosen, **settings)
    assert again.difference == found.difference  # read from the folder
    assert json.loads((tmp_path / "a" / "comparison.json").read_text())["groups"] == groups
    assert f"intervals resample {groups} groups of rows" in printed(comparison_text(found))


@unit
@pytest.mark.parametrize(
    ("groups", "line"),
    [
        (None, ""),
        (1, "there are no intervals, because all rows are of one group"),
        (6, "few groups: 95% intervals resample 6 groups of rows and may be too narrow"),
        (30, "95% intervals resample 30 groups of rows"),
    ],
)
def test_the_report_says_how_many_groups_were_resampled(groups, line):
    rows = None if groups is None else np.arange(300) % groups
    found = printed(evaluation_text(evaluate_outcome(outcome([True, False] * 150).grouped(rows), ["accuracy"])))
    assert found.rstrip().splitlines()[-1].strip() == line if line else "group" not in found


def printed(content):
    from rich.console import Console

    console = Console(width=200, color_system=None)
    with console.capture() as capture:
        console.print(content)
    return capture.get()
