"""How predictions and metrics of two models on the same rows differ."""

import numpy as np
import pytest

from sensorium.evaluate.drift import measure_metric_shift, measure_prediction_shift
from sensorium.registry import tasks
from sensorium.table import open_table

pytestmark = pytest.mark.unit


def learn(name, cells):
    return tasks.load(name).learn(open_table({"y": cells}).column("y"), "none")


def test_of_classes_mean_probabilities_and_changed_answers():
    task = learn("binary", ["a", "b"] * 4)
    before = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    after = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.45, 0.55]])
    found = measure_prediction_shift(task, before, after)
    assert found.to_json() == {"rows": 4, "labels": {"a": [0.6, 0.4625], "b": [0.4, 0.5375]}, "changed": 0.25}


def test_a_row_of_several_labels_has_changed_where_one_of_them_has():
    task = learn("multilabel", [["x"], ["y"], ["x", "y"], []] * 2)
    before = np.array([[0.9, 0.1], [0.9, 0.9], [0.1, 0.1]])
    after = np.array([[0.9, 0.8], [0.9, 0.9], [0.8, 0.7]])
    assert measure_prediction_shift(task, before, after).changed == pytest.approx(2 / 3, abs=1e-6)


def test_of_amounts_mean_and_deviation():
    task = learn("regression", [1.0, 2.0, 4.0])
    found = measure_prediction_shift(task, np.array([1.0, 3.0]), np.array([5.0, 5.0]))
    assert found.to_json() == {"rows": 2, "mean": [2.0, 5.0], "deviation": [1.0, 0.0]}


def test_a_metric_that_got_better_has_a_positive_difference():
    task, truth = learn("regression", [1.0, 2.0, 4.0]), np.arange(50.0)
    far, near = (task.outcome(truth + error, truth) for error in (3.0, 1.0))
    found = measure_metric_shift("regression", far, near, "rmse")
    assert (found.before.metrics["rmse"], found.after.metrics["rmse"]) == pytest.approx((3.0, 1.0))
    assert found.difference.value == pytest.approx(2.0)
