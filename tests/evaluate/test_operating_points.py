"""Operating points and intervals of proportions, against SciPy and direct counts."""

import numpy as np
import pytest
from scipy.stats import binomtest

from sensorium.errors import ConfigError, SchemaError
from sensorium.evaluate import Evaluation
from sensorium.evaluate.operating_points import FIXED, operating_table
from sensorium.evaluate.proportions import proportion, wilson
from sensorium.evaluate.resampled_t import quantile_t
from sensorium.evaluate.scored_rows import ScoredRows
from sensorium.registry import tasks
from sensorium.table import open_table

pytestmark = pytest.mark.unit


@pytest.fixture
def column():
    random = np.random.default_rng(0)
    truth = random.random(500) < 0.2
    return "ill", truth, 1 / (1 + np.exp(1 - 1.5 * truth - random.normal(0, 1, 500)))


@pytest.mark.parametrize(("hits", "rows"), [(0, 20), (7, 20), (20, 20), (450, 500), (1, 1)])
def test_interval_of_a_proportion_is_that_of_wilson(hits, rows):
    found = proportion(np.arange(rows) < hits)
    exact = binomtest(hits, rows).proportion_ci(method="wilson")
    assert (found.value, found.low, found.high) == (
        hits / rows,
        pytest.approx(exact.low, abs=1e-12),
        pytest.approx(exact.high, abs=1e-12),
    )


def test_rows_of_a_group_count_once_if_they_are_equal():
    hits = np.arange(40) % 4 < 3
    groups = np.repeat(np.arange(40), 5)
    grouped, alone = proportion(np.repeat(hits, 5), groups), proportion(hits)
    assert grouped.value == alone.value
    low, high = wilson(alone.value, 40, quantile_t(0.95, 39))  # the groups estimate their variance
    assert (grouped.low, grouped.high) == (pytest.approx(low, abs=0.004), pytest.approx(high, abs=0.004))
    assert grouped.low < alone.low and alone.high < grouped.high
    always = proportion(np.ones(200, bool), groups)
    assert (always.low, always.high) == wilson(1.0, 40, quantile_t(0.95, 39))


def test_one_group_has_no_interval():
    found = proportion(np.arange(10) < 4, np.zeros(10, int))
    assert found.value == 0.4
    assert np.isnan([found.low, found.high]).all()
    assert np.isnan(proportion(np.zeros(0, bool)).value)


def test_points_have_the_fixed_sensitivity_or_specificity(column):
    _, truth, scores = column
    found = operating_table(column, 0.4)
    assert [point.level for point in found.points] == [*FIXED, *FIXED, None]
    for point in found.points[:-1]:
        decided = scores >= point.threshold
        rates = {"sensitivity": decided[truth].mean(), "specificity": 1 - decided[~truth].mean()}
        assert rates == {name: pytest.approx(getattr(point, name).value) for name in rates}
        assert rates[point.fixed] >= point.level
        cuts = [scores >= cut for cut in np.unique(scores)]
        other = {  # no threshold with the fixed rate has more of the other rate
            "sensitivity": max(1 - own[~truth].mean() for own in cuts if own[truth].mean() >= point.level),
            "specificity": max(own[truth].mean() for own in cuts if 1 - own[~truth].mean() >= point.level),
        }[point.fixed]
        assert rates["specificity" if point.fixed == "sensitivity" else "sensitivity"] == pytest.approx(other)
    assert found.points[-1].threshold == 0.4


def test_predictive_values_are_those_of_the_rows_or_of_the_stated_prevalence(column):
    _, truth, scores = column
    own = operating_table(column, 0.4).points[-1]
    decided = scores >= 0.4
    assert own.ppv.value == pytest.approx(truth[decided].mean())
    assert own.npv.value == pytest.approx((~truth)[~decided].mean())
    stated = operating_table(column, 0.4, prevalence=0.02)
    point = stated.points[-1]
    assert (stated.prevalence, stated.stated) == (0.02, True)
    sensitivity, specificity = point.sensitivity.value, point.specificity.value
    positive = 0.02 * sensitivity / (0.02 * sensitivity + 0.98 * (1 - specificity))
    negative = 0.98 * specificity / (0.98 * specificity + 0.02 * (1 - sensitivity))
    assert (point.ppv.value, point.npv.value) == (pytest.approx(positive), pytest.approx(negative))
    assert point.ppv.low < positive < point.ppv.high
    assert (point.sensitivity, point.specificity) == (own.sensitivity, own.specificity)


def evaluation(task):
    rows = open_table({"y": ["a", "b", "c"] * 20 if task == "multiclass" else ["a", "b"] * 30}).column("y")
    learnt = tasks.load(task).learn(rows, "none")
    truth = learnt.encode(rows).values
    scores = np.full((60, len(learnt.labels)), 1 / len(learnt.labels))
    return Evaluation(60, {}, {}, scored=ScoredRows(learnt, learnt.outcome(scores, truth)))


def test_prevalence_and_task_are_checked():
    for wrong in (0, 1, -0.1, 2, float("nan")):
        with pytest.raises(ConfigError, match="prevalence cannot be"):
            evaluation("binary").operating_points(wrong)
    with pytest.raises(SchemaError, match="no operating point"):
        evaluation("multiclass").operating_points(0.1)
    with pytest.raises(SchemaError, match="does not keep its rows"):
        Evaluation(60, {}, {}).confusion()


def test_every_label_has_operating_points():
    cells = [[f"label {number:02}" for number in range(12) if (row + number) % 3 == 0] for row in range(60)]
    column = open_table({"y": cells}).column("y")
    learnt = tasks.load("multilabel").learn(column, "none")
    truth = learnt.encode(column).values
    found = ScoredRows(learnt, learnt.outcome(np.random.default_rng(0).random(truth.shape), truth)).operating_points()
    assert [table.label for table in found[""]] == learnt.labels and len(learnt.labels) == 12  # more than have curves
