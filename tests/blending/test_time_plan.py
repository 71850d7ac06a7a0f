"""Which trainings fit into the time of a blend."""

from dataclasses import dataclass

import pytest

from sensorium.blending._time import (
    FOLDS,
    LEAST,
    MOST,
    MOST_ROWS,
    START_UP,
    NetworkFolds,
    TimeLimit,
    plan_fits,
    while_time,
)

pytestmark = pytest.mark.unit

LIMIT = TimeLimit(1000, 1.0, "good")


@dataclass
class Model:
    name: str
    seconds: float  # per fold
    is_single: bool = False


MODELS = [Model("linear", 1), Model("linear (a)", 2, True), Model("trees", 4), Model("trees (a)", 3, True)]


def plan(allowed, models=MODELS, folds=FOLDS, least=0):
    return plan_fits(models, lambda place, each: each * models[place].seconds, allowed, folds=folds, least=least)


def names(found):
    return [MODELS[place].name for place in found.kept]


@pytest.mark.parametrize(
    ("allowed", "kept", "folds"),
    [
        (50, ["linear", "linear (a)", "trees", "trees (a)"], 5),
        (49, ["linear", "linear (a)", "trees"], 5),
        (34, ["linear", "trees"], 5),
        (24, ["linear", "linear (a)", "trees"], 3),
        (20, ["linear", "trees"], 3),
        (10, ["linear", "trees"], 2),
        (9, ["linear", "linear (a)"], 2),
        (1, [], 2),
    ],
)
def test_models_of_all_columns_and_folds_come_before_models_of_single_modalities(allowed, kept, folds):
    found = plan(allowed)
    assert (names(found), found.folds) == (kept, folds)
    assert found.left_out.keys() == {model.name for model in MODELS} - {*kept}
    assert all(
        reason.endswith(f"the {allowed} s that are left for classical models") for reason in found.left_out.values()
    )
    assert bool(found.reason) == (folds != 5)


def test_the_quickest_model_stays_if_one_is_needed():
    assert names(plan(1, least=1)) == ["linear"]
    assert plan(1, folds=(1,)).folds == 1


def test_the_limit_grows_with_the_network_up_to_ten_minutes():
    assert LIMIT.after(1, 5) == LEAST - 5
    assert LIMIT.after(100, 180) == 70
    assert LIMIT.after(1000, 500) == pytest.approx(MOST / 5)  # at least a fifth of the whole is for classical models
    assert TimeLimit(2 * MOST_ROWS, 1.0, "good").most == 2 * MOST
    best = TimeLimit(1000, 10.0, "best")
    assert (best.after(1, 5), best.after(100, 180)) == (10 * LEAST - 5, 2500 - 180)


def test_a_network_that_would_exceed_the_limit_is_not_trained():
    assert not LIMIT.network_reason(240, 2)
    reason = LIMIT.network_reason(241, 2)
    assert "2 trainings of about 4 min would exceed the 8 min of preset good" in reason and "preset fast" in reason
    assert not LIMIT.network_reason(241, 1)


@pytest.mark.parametrize(
    ("seconds", "rows", "count", "trained"),
    [
        (0.1, 100, 5, 5),
        (3, 100, 5, 5),
        (3.1, 100, 2, 2),  # fewer than five folds judge too few rows, so two folds judge all
        (3.1, 1000, 5, 4),
        (4.4, 1000, 5, 3),
        (5.7, 1000, 5, 2),
        (7, 1000, 5, 1),
        (7, 999, 5, 2),
        (1000, 1000, 5, 1),
        (1000, 500, 5, 2),
        (1000, 499, 2, 2),
    ],
)
def test_slow_networks_are_trained_on_some_of_five_folds(seconds, rows, count, trained):
    assert NetworkFolds.of(seconds, rows) == NetworkFolds(count, trained)


def test_fewer_folds_of_a_network_have_a_reason():
    assert not NetworkFolds(5, 5).reason(3)
    assert NetworkFolds(5, 1).reason(10) == "with 5 folds, its trainings would take about 50 s, beyond 15 s"


def test_the_trainings_of_folds_count_by_their_rows():
    assert NetworkFolds(5, 5).trainings == pytest.approx(5)
    assert NetworkFolds(5, 1).trainings == pytest.approx(1.8)
    assert NetworkFolds(2, 2).trainings == pytest.approx(2)


def test_a_model_that_is_not_slow_itself_is_left_out_for_the_others():
    found = plan(49).left_out["trees (a)"]  # 15 s, after 35 s of the others
    assert found.startswith("it would take about 15 s, and the other models need")
    assert "beyond the 1 s" in plan(1).left_out["trees"]


def run_fits(seconds, allowed, slowness):
    """Run fits on a machine slower than the estimates; return those that ran, and those that were left out."""
    left, ran, left_out = [allowed], [], []
    for place in while_time(seconds, lambda: left[0], left_out.append):
        ran.append(place)
        left[0] -= slowness * seconds[place]
    return ran, left_out


def test_fits_that_a_slow_machine_has_no_time_for_are_left_out():
    seconds = {0: 10.0, 1: 20.0, 2: 30.0}
    assert run_fits(seconds, 60, 1) == ([0, 1, 2], [])
    assert run_fits(seconds, 60, 2) == ([0, 1], [2])
    assert run_fits(seconds, 60, 4) == ([0], [1, 2])
    assert run_fits(seconds, 60, 100) == ([0], [1, 2])  # the first shows how slow the machine is


def test_importing_libraries_in_the_first_fit_leaves_out_no_other():
    left = [10.0]
    for place in while_time({0: 0.01, 1: 2.0}, lambda: left[0], lambda place: pytest.fail("no time")):
        left[0] -= START_UP if place == 0 else 2.0
