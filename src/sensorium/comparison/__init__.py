"""Compare fusions with single modalities and classical baselines on one split, with paired statistics."""

from sensorium.comparison._compare_towers import compare_towers
from sensorium.comparison._cross_validation import compare_over_folds
from sensorium.comparison._folder import check_folder, settle_folder
from sensorium.comparison._options import ComparisonOptions, check_comparison
from sensorium.comparison._plan import USUAL, check_names
from sensorium.comparison._result import Comparison, Result

__all__ = [
    "USUAL",
    "Comparison",
    "ComparisonOptions",
    "Result",
    "check_comparison",
    "check_folder",
    "check_names",
    "compare_over_folds",
    "compare_towers",
    "settle_folder",
]
