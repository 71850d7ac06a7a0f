"""Coverage and size of prediction sets and intervals on labelled rows."""

import numpy as np
import pytest
from scipy.stats import binomtest

from sensorium.conformal import Presence, fit_conformal
from sensorium.evaluate.coverage import mean_interval, measure_coverage, share_interval
from sensorium.metrics import Outcome, Part

pytestmark = pytest.mark.unit


def everywhere(rows):
    return Presence(("image", "text"), np.ones((rows, 2), bool))


def classes(rows, seed):
    random = np.random.default_rng(seed)
    scores = random.dirichlet([0.5] * 3, rows)
    truth = (scores.cumsum(1) < random.random(rows)[:, None]).sum(1).clip(max=2)
    return Outcome(truth, scores, scores.argmax(1))


def amounts(rows, seed):
    random = np.random.default_rng(seed)
    scores = random.uniform(1, 9, rows)
    return Outcome(scores + scores * random.normal(0, 0.3, rows), scores, scores)


@pytest.mark.parametrize(("held", "rows"), [(0, 7), (5, 9), (90, 100), (40, 40)])
def test_interval_of_a_share_is_wilson_s(held, rows):
    low, high = share_interval(np.arange(rows) < held, None)
    wanted = binomtest(held, rows).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((wanted.low, wanted.high), abs=1e-6)


def test_intervals_of_groups_are_wider_than_those_of_rows():
    values, groups = np.repeat([1.0, 0, 1, 1, 0, 1, 1, 1], 50), np.repeat(np.arange(8), 50)
    rows, grouped = (share_interval(values == 1, own) for own in (None, groups))
    assert grouped[1] - grouped[0] > 3 * (rows[1] - rows[0])


def test_interval_of_a_mean_is_about_two_standard_errors():
    values = np.random.default_rng(0).normal(2, 1, 400)
    low, high = mean_interval(values, None)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1)


def test_several_targets_are_measured_where_their_labels_are_known():
    own, other = classes(300, 0), amounts(300, 1)
    known = np.arange(300) % 3 > 0
    parts = {
        "kind": Part("multiclass", "accuracy", known, own),
        "cost": Part("regression", "r2", np.ones(300, bool), other),
    }
    outcome = Outcome(np.zeros((300, 2)), np.zeros((300, 4)), np.zeros((300, 2)), parts)
    conformal = fit_conformal(outcome, "several", everywhere(300))
    found = measure_coverage(conformal, outcome, everywhere(300), 0.9)
    assert [found.targets[name].every.rows for name in ("kind", "cost")] == [200, 300]
    assert found.targets["kind"].has_sets and not found.targets["cost"].has_sets
    assert found.to_json()["targets"].keys() == {"kind", "cost"}


def test_abstention_of_amounts_answers_the_narrowest_intervals_first():
    fit, new = amounts(1000, 0), amounts(400, 1)
    conformal = fit_conformal(fit, "regression", everywhere(1000), method="normalized")
    curve = measure_coverage(conformal, new, everywhere(400), 0.9).targets[""].abstention
    errors = np.abs(new.truth - new.scores)
    assert curve[-1] == {"answered": 1.0, "mae": pytest.approx(errors.mean())}
    assert curve[9]["mae"] < 0.6 * errors.mean()
    equal = fit_conformal(fit, "regression", everywhere(1000), method="absolute")
    assert measure_coverage(equal, new, everywhere(400), 0.9).targets[""].abstention == []


def test_modalities_with_too_few_calibration_rows_are_marked():
    there = everywhere(300)
    there.there[:5, 0] = False
    conformal = fit_conformal(classes(300, 0), "multiclass", there)
    found = measure_coverage(conformal, classes(300, 1), there, 0.9).targets[""]
    assert [(rate.names, rate.rows, rate.calibration_rows, rate.fallback) for rate in found.modalities] == [
        (["image", "text"], 295, 295, False),
        (["text"], 5, 300, True),
    ]
