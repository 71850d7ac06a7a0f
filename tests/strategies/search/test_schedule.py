"""Times as they are written, and schedules that fit into them."""

import pytest

from sensorium.errors import ConfigError
from sensorium.strategies import Budget, parse_budget
from sensorium.strategies._search._schedule import Rung, Schedule, make_schedule

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1h", 3600), ("1h30m", 5400), ("1.5m", 90), ("45", 45), (2.5, 2.5), (" 2M ", 120)],
)
def test_a_budget_is_a_time(text, seconds):
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "10x", "0s", "-3m", "1..2m", "m", float("nan"), float("inf"), -1])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ConfigError, match="budget cannot be"):
        parse_budget(text)


def test_what_is_left_is_less_what_was_spent_before_and_is_kept_back():
    now = [100.0]
    budget = Budget(60, clock=lambda: now[0])
    now[0] = 110
    budget.reserve, budget.spent = 5, 20
    assert (budget.used, budget.left) == (30, 25)


@pytest.mark.parametrize("wanted", [1, 3, 9, 24, 60])
@pytest.mark.parametrize("affordable", [2, 3.7, 8, 22, 60, 200, 1000, 10_000])
def test_a_schedule_fits_into_its_time(affordable, wanted):
    schedule = make_schedule(affordable, wanted)
    assert schedule.final <= wanted
    spent = sum(rung.candidates * rung.epochs for rung in schedule.rungs)
    assert spent + schedule.final <= affordable
    for above, below in zip(schedule.rungs, schedule.rungs[1:], strict=False):
        assert (below.candidates, below.epochs) == (above.candidates // 3, above.epochs * 3)
    assert all(rung.candidates >= 2 and rung.epochs <= schedule.final for rung in schedule.rungs)


def test_more_time_is_more_candidates_and_more_rungs():
    schedules = [make_schedule(affordable, 27) for affordable in (2, 20, 100, 1000)]
    counts = [sum(rung.candidates for rung in schedule.rungs) for schedule in schedules]
    assert counts == sorted(counts) and counts[0] < counts[1] < counts[2] < counts[3]
    assert len(schedules[-1].rungs) == 3


def test_a_schedule_survives_a_break():
    schedule = make_schedule(200, 24)
    assert Schedule.from_json(schedule.to_json()) == schedule


@pytest.mark.parametrize(
    ("affordable", "wanted", "rungs", "final"),
    [
        (45, 9, [(9, 1), (3, 3)], 9),  # two fifths of the time are rungs; just enough for two of them
        (44, 9, [(5, 3)], 9),
        (60, 9, [(12, 1), (4, 3)], 9),
        (10, 24, [(3, 1)], 6),  # less than a plain fit: what its epochs leave is for one rung
        (14, 24, [(3, 2)], 8),
        (3, 24, [], 1),
        (1e6, 9, [(81, 1), (27, 3)], 9),  # never more than 81 candidates
    ],
)
def test_schedules_as_counted_by_hand(affordable, wanted, rungs, final):
    assert make_schedule(affordable, wanted) == Schedule([Rung(*rung) for rung in rungs], final)
