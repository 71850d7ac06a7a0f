"""Metrics with intervals, and whether one model is better than another."""

from sensorium.evaluate.compare import compare_outcomes, compare_runs, holm
from sensorium.evaluate.evaluation import Evaluation, evaluate_outcome, evaluate_runs
from sensorium.evaluate.subsets import Names, Share, Subset, Subsets, plan_subsets, score_subsets
from sensorium.evaluate.verdict import against, over, verdict
from sensorium.metrics import Difference, finite

__all__ = [
    "Difference",
    "Evaluation",
    "Names",
    "Share",
    "Subset",
    "Subsets",
    "against",
    "compare_outcomes",
    "compare_runs",
    "evaluate_outcome",
    "evaluate_runs",
    "finite",
    "holm",
    "over",
    "plan_subsets",
    "score_subsets",
    "verdict",
]
