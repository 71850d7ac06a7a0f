"""Metrics with intervals, and whether one model is better than another."""

from sensorium.evaluate.compare import Difference, compare_outcomes, verdict
from sensorium.evaluate.evaluation import Evaluation, evaluate_outcome

__all__ = ["Difference", "Evaluation", "compare_outcomes", "evaluate_outcome", "verdict"]
