"""Metrics with intervals, and whether one model is better than another."""

from sensorium.evaluate.compare import Difference, compare_outcomes, compare_runs, holm, verdict
from sensorium.evaluate.evaluation import Evaluation, evaluate_outcome, evaluate_runs, finite

__all__ = [
    "Difference",
    "Evaluation",
    "compare_outcomes",
    "compare_runs",
    "evaluate_outcome",
    "evaluate_runs",
    "finite",
    "holm",
    "verdict",
]
