"""Compute metrics with intervals, and compare models on the same rows."""

from sensorium.evaluate._coverage_results import CoverageRate, Coverages, TargetCoverage
from sensorium.evaluate._slice_results import Slice, Slices, SliceSearch, WorseSlice
from sensorium.evaluate._subset_results import Names, Share, Subset, Subsets
from sensorium.evaluate.compare import compare_losses, compare_outcomes, compare_runs, holm
from sensorium.evaluate.cross_validation import CrossValidation
from sensorium.evaluate.evaluation import Evaluation, evaluate_outcome, evaluate_runs, mean_scores
from sensorium.evaluate.intervals import FEW_GROUPS, FEW_ROWS
from sensorium.evaluate.per_class import ClassScores, score_classes
from sensorium.evaluate.requested import requested_metrics
from sensorium.evaluate.resampled_t import FoldSizes, compare_folds, mean_of_folds
from sensorium.evaluate.subsets import plan_subsets, score_subsets
from sensorium.evaluate.units import UnitCount, Units, unit_groups, unit_labels
from sensorium.evaluate.verdict import Better, BlendComparison, ModelName, Quicker, Unbeaten, Verdict, verdict_kind
from sensorium.metrics import Difference

__all__ = [
    "FEW_GROUPS",
    "FEW_ROWS",
    "Better",
    "BlendComparison",
    "ClassScores",
    "CoverageRate",
    "Coverages",
    "CrossValidation",
    "Difference",
    "Evaluation",
    "FoldSizes",
    "ModelName",
    "Names",
    "Quicker",
    "Share",
    "Slice",
    "SliceSearch",
    "Slices",
    "Subset",
    "Subsets",
    "TargetCoverage",
    "Unbeaten",
    "UnitCount",
    "Units",
    "Verdict",
    "WorseSlice",
    "compare_folds",
    "compare_losses",
    "compare_outcomes",
    "compare_runs",
    "evaluate_outcome",
    "evaluate_runs",
    "holm",
    "mean_of_folds",
    "mean_scores",
    "plan_subsets",
    "requested_metrics",
    "score_classes",
    "score_subsets",
    "unit_groups",
    "unit_labels",
    "verdict_kind",
]
